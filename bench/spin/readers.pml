/* A reader/writer lock that prefers writers. Run with -DN=... */
bool writer;
byte readers;
byte waiting;

active [N] proctype user() {
  do
  :: waiting++;
     d_step { !writer && readers == 0 -> writer = true; waiting-- };
     d_step { assert(readers == 0); writer = false }
  :: skip;
     d_step { !writer && waiting == 0 -> readers++ };
     d_step { assert(!writer); readers-- }
  od
}
