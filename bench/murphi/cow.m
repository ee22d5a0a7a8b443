-- Copy-on-write faults of P CPUs on F shared frames under a global lock. The benchmark puts "const P: ...; F: ...;" before this.
type
  cpu: 0..P - 1;
  frame: 0..F - 1;

var
  references: array [frame] of 0..P;
  copied: array [cpu] of array [frame] of boolean;
  held: boolean;
  f: array [cpu] of frame;
  count: array [cpu] of 0..P;
  pc: array [cpu] of 0..5;

startstate begin
  held := false;
  for a: frame do references[a] := P; end;
  for i: cpu do
    for a: frame do copied[i][a] := false; end;
    f[i] := 0; count[i] := 0; pc[i] := 0;
  end;
end;

ruleset i: cpu; a: frame do
  rule "pick" pc[i] = 0 & !copied[i][a] ==> begin f[i] := a; pc[i] := 1; end;
end;

rule "share again" pc[0] = 0 & !held & forall i: cpu do forall a: frame do copied[i][a] end end ==> begin
  for a: frame do assert references[a] = 1; references[a] := P; end;
  for i: cpu do for a: frame do copied[i][a] := false; end; end;
end;

ruleset i: cpu do
  rule "lock" pc[i] = 1 & !held ==> begin held := true; pc[i] := 2; end;
  rule "keep" pc[i] = 2 & references[f[i]] = 1 ==> begin copied[i][f[i]] := true; f[i] := 0; pc[i] := 5; end;
  rule "copy" pc[i] = 2 & references[f[i]] != 1 ==> begin copied[i][f[i]] := true; pc[i] := 3; end;
  rule "read" pc[i] = 3 ==> begin count[i] := references[f[i]]; pc[i] := 4; end;
  rule "store" pc[i] = 4 ==> begin references[f[i]] := count[i] - 1; f[i] := 0; count[i] := 0; pc[i] := 5; end;
  rule "release" pc[i] = 5 ==> begin held := false; pc[i] := 0; end;
end;
