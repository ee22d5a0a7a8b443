-- Leader election on a one-way ring. The benchmark puts "const N: ...;" before this.
type id: 0..N - 1;

var
  link: array [id] of 0..N;
  got: array [id] of 0..N;
  pc: array [id] of 0..3;

function left(i: id): id;
begin
  if i = 0 then return N - 1; else return i - 1; end;
end;

startstate begin
  for i: id do link[i] := 0; got[i] := 0; pc[i] := 0; end;
end;

ruleset i: id do
  rule "send" pc[i] = 0 & link[i] = 0 ==> begin link[i] := i + 1; pc[i] := 1; end;
  rule "receive" pc[i] = 1 & link[left(i)] != 0 ==>
    var message: 1..N;
  begin
    message := link[left(i)];
    link[left(i)] := 0;
    if message = i + 1 then pc[i] := 3; elsif message > i + 1 then got[i] := message; pc[i] := 2; end;
  end;
  rule "forward" pc[i] = 2 & link[i] = 0 ==> begin link[i] := got[i]; got[i] := 0; pc[i] := 1; end;
  rule "elected" pc[i] = 3 ==> begin assert i = N - 1; pc[i] := 0; end;
end;
