/* Copy-on-write faults of P CPUs on F shared frames under a global lock. Run with -DP=... -DF=... */
byte references[F] = P;
bool copied[P * F];
bool held;

#define MINE copied[_pid * F + f]

/* loops have no place in a guard: the benchmark gives ALL_COPIED, a conjunction over all entries, and SHARE_AGAIN,
   which asserts that every frame has one reference, and sets the counts and entries back */

active [P] proctype fault() {
  byte f = 0, count = 0;
pick:
  if
  :: d_step { !copied[_pid * F] -> f = 0 }
#if F > 1
  :: d_step { !copied[_pid * F + 1] -> f = 1 }
#endif
#if F > 2
  :: d_step { !copied[_pid * F + 2] -> f = 2 }
#endif
#if F > 3
  :: d_step { !copied[_pid * F + 3] -> f = 3 }
#endif
  :: d_step { _pid == 0 && ALL_COPIED && !held -> SHARE_AGAIN }; goto pick
  fi;
  d_step { !held -> held = true };
  if
  :: d_step { references[f] == 1 -> MINE = true; f = 0 }
  :: d_step { references[f] != 1 -> MINE = true };
     count = references[f];
     d_step { references[f] = count - 1; f = 0; count = 0 }
  fi;
  held = false;
  goto pick
}
