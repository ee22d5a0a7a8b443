/* Leader election on a one-way ring. Run with -DN=... */
#define OWN (_pid + 1)
#define LEFT link[(_pid == 0 -> N - 1 : _pid - 1)]
#define RIGHT link[_pid]

byte link[N];

active [N] proctype member() {
  byte got = 0;
begin:
  if :: d_step { RIGHT == 0 -> RIGHT = OWN } fi;
receive:
  if
  :: d_step { LEFT != 0 && LEFT < OWN -> LEFT = 0 }; goto receive
  :: d_step { LEFT > OWN -> got = LEFT; LEFT = 0 };
     d_step { RIGHT == 0 -> RIGHT = got; got = 0 };
     goto receive
  :: d_step { LEFT == OWN -> LEFT = 0 }
  fi;
  assert(OWN == N);
  goto begin
}
