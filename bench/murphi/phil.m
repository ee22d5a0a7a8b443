-- Dining philosophers; the last one takes the right fork first. The benchmark puts "const N: ...;" before this.
type id: 0..N - 1;

var
  taken: array [id] of boolean;
  pc: array [id] of 0..3;

function first(i: id): id;
begin
  if i = N - 1 then return 0; else return i; end;
end;

function second(i: id): id;
begin
  if i = N - 1 then return i; else return i + 1; end;
end;

startstate begin
  for i: id do taken[i] := false; pc[i] := 0; end;
end;

ruleset i: id do
  rule "first" pc[i] = 0 & !taken[first(i)] ==> begin taken[first(i)] := true; pc[i] := 1; end;
  rule "second" pc[i] = 1 & !taken[second(i)] ==> begin taken[second(i)] := true; pc[i] := 2; end;
  rule "down" pc[i] = 2 ==> begin taken[first(i)] := false; pc[i] := 3; end;
  rule "down again" pc[i] = 3 ==> begin taken[second(i)] := false; pc[i] := 0; end;
end;
