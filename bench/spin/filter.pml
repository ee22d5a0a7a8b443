/* Peterson's filter lock for N processes. Run with -DN=... */
byte level[N];
byte last[N];

active [N] proctype filter() {
  byte l = 0, k = 0;
begin:
  l = 1;
again:
  level[_pid] = l;
  last[l] = _pid;
wait:
  if
  :: d_step { k < N && (k == _pid || level[k] < l || last[l] != _pid) -> k++ }; goto wait
  :: d_step { k == N && l < N - 1 -> k = 0; l++ }; goto again
  :: d_step { k == N && l == N - 1 -> k = 0; l = 0 }
  fi;
  d_step { assert(level[_pid] == N - 1); level[_pid] = 0 };
  goto begin
}
