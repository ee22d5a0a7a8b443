-- Peterson's filter lock for N processes. The benchmark puts "const N: ...;" before this.
type id: 0..N - 1;

var
  level: array [id] of 0..N - 1;
  last: array [id] of id;
  l: array [id] of 0..N - 1;
  k: array [id] of 0..N;
  pc: array [id] of 0..4;

startstate begin
  for i: id do level[i] := 0; last[i] := 0; l[i] := 0; k[i] := 0; pc[i] := 0; end;
end;

function passes(i: id): boolean;
begin
  if k[i] = N then return false; end;
  return k[i] = i | level[k[i]] < l[i] | last[l[i]] != i;
end;

ruleset i: id do
  rule "begin" pc[i] = 0 ==> begin l[i] := 1; pc[i] := 1; end;
  rule "level" pc[i] = 1 ==> begin level[i] := l[i]; pc[i] := 2; end;
  rule "last" pc[i] = 2 ==> begin last[l[i]] := i; pc[i] := 3; end;
  rule "wait" pc[i] = 3 & passes(i) ==> begin k[i] := k[i] + 1; end;
  rule "on" pc[i] = 3 & k[i] = N & l[i] < N - 1 ==> begin k[i] := 0; l[i] := l[i] + 1; pc[i] := 1; end;
  rule "enter" pc[i] = 3 & k[i] = N & l[i] = N - 1 ==> begin k[i] := 0; l[i] := 0; pc[i] := 4; end;
  rule "leave" pc[i] = 4 ==> begin assert level[i] = N - 1; level[i] := 0; pc[i] := 0; end;
end;
