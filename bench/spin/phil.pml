/* Dining philosophers; the last one takes the right fork first. Run with -DN=... */
#define FIRST (_pid == N - 1 -> 0 : _pid)
#define SECOND (_pid == N - 1 -> N - 1 : _pid + 1)

bool taken[N];

active [N] proctype philosopher() {
  do
  :: d_step { !taken[FIRST] -> taken[FIRST] = true };
     d_step { !taken[SECOND] -> taken[SECOND] = true };
     taken[FIRST] = false;
     taken[SECOND] = false
  od
}
