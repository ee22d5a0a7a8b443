/* Wire and unwire of T adjacent regions of P pages each. Run with -DT=... -DP=... */
bool present[T];
bool inTransition[T];
bool joined[T]; /* region i and region i + 1 are one entry */
bool busy[T * P];
bool wired[T * P];
bool writer;
byte readers;

#define CUT if :: _pid > 0 -> joined[_pid - 1] = false :: else fi; joined[_pid] = false
/* a loop, written out: one region more to the left and to the right; for T up to 7 */
#define WIDEN if :: (at > 0 && joined[at - (at > 0)]) -> at-- :: else fi; if :: joined[last] -> last++ :: else fi
#define FREE (!writer && readers == 0)

active [T] proctype wireUnwire() {
  byte at = 0, last = 0;
begin:
  if :: d_step { FREE -> writer = true } fi;
  d_step { present[_pid] = true; CUT; inTransition[_pid] = true };
  writer = false;
  d_step {
    at = _pid;
    last = _pid;
    WIDEN; WIDEN; WIDEN; WIDEN; WIDEN; WIDEN;
    at = at * P;
    last = (last + 1) * P - 1
  };
page:
  if :: d_step { !busy[at] -> busy[at] = true } fi;
  d_step { !writer -> readers++ };
  d_step { readers--; wired[at] = true };
  if
  :: d_step { at < last -> busy[at] = false; at++ }; goto page
  :: d_step { at == last -> busy[at] = false; at = 0; last = 0 }
  fi;
  d_step { FREE -> writer = true };
  d_step {
    inTransition[_pid] = false;
    if :: _pid > 0 -> if :: present[_pid - 1] && !inTransition[_pid - 1] -> joined[_pid - 1] = true :: else fi :: else fi;
    if :: _pid < T - 1 -> if :: present[_pid + 1] && !inTransition[_pid + 1] -> joined[_pid] = true :: else fi :: else fi
  };
  writer = false;
  d_step { FREE -> writer = true; CUT; at = _pid * P };
unwire:
  if
  :: d_step { at < (_pid + 1) * P - 1 && !busy[at] -> wired[at] = false; at++ }; goto unwire
  :: d_step { at == (_pid + 1) * P - 1 && !busy[at] -> wired[at] = false; at = 0 }
  fi;
  d_step { present[_pid] = false; writer = false };
  goto begin
}
