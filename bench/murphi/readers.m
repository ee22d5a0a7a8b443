-- A reader/writer lock that prefers writers. The benchmark puts "const N: ...;" before this.
type id: 0..N - 1;

var
  writer: boolean;
  readers: 0..N;
  waiting: 0..N;
  pc: array [id] of 0..4;

startstate begin
  writer := false;
  readers := 0;
  waiting := 0;
  for i: id do pc[i] := 0; end;
end;

ruleset i: id do
  rule "want to write" pc[i] = 0 ==> begin waiting := waiting + 1; pc[i] := 1; end;
  rule "write" pc[i] = 1 & !writer & readers = 0 ==> begin writer := true; waiting := waiting - 1; pc[i] := 2; end;
  rule "written" pc[i] = 2 ==> begin assert readers = 0; writer := false; pc[i] := 0; end;
  rule "want to read" pc[i] = 0 ==> begin pc[i] := 3; end;
  rule "read" pc[i] = 3 & !writer & waiting = 0 ==> begin readers := readers + 1; pc[i] := 4; end;
  rule "have read" pc[i] = 4 ==> begin assert !writer; readers := readers - 1; pc[i] := 0; end;
end;
