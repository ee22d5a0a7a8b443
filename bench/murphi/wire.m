-- Wire and unwire of T adjacent regions of P pages each. The benchmark puts "const T: ...; P: ...;" before this.
type
  thread: 0..T - 1;
  page: 0..T * P - 1;

var
  present: array [thread] of boolean;
  inTransition: array [thread] of boolean;
  joined: array [thread] of boolean; -- region i and region i + 1 are one entry
  busy: array [page] of boolean;
  wired: array [page] of boolean;
  writer: boolean;
  readers: 0..T;
  at: array [thread] of page;
  last: array [thread] of page;
  pc: array [thread] of 0..13;

procedure cut(i: thread);
begin
  if i > 0 then joined[i - 1] := false; end;
  joined[i] := false;
end;

startstate begin
  for i: thread do
    present[i] := false; inTransition[i] := false; joined[i] := false;
    at[i] := 0; last[i] := 0; pc[i] := 0;
  end;
  for p: page do busy[p] := false; wired[p] := false; end;
  writer := false;
  readers := 0;
end;

ruleset i: thread do
  rule "write" (pc[i] = 0 | pc[i] = 8) & !writer & readers = 0 ==> begin writer := true; pc[i] := pc[i] + 1; end;
  rule "mark" pc[i] = 1 ==> begin present[i] := true; cut(i); inTransition[i] := true; pc[i] := 2; end;
  rule "unlock" pc[i] = 2 | pc[i] = 10 ==> begin writer := false; pc[i] := pc[i] + 1; end;
  rule "span" pc[i] = 3 ==>
    var first: thread; end_: thread;
  begin
    first := i;
    while first > 0 & joined[first - 1] do first := first - 1; end;
    end_ := i;
    while joined[end_] do end_ := end_ + 1; end;
    at[i] := first * P;
    last[i] := (end_ + 1) * P - 1;
    pc[i] := 4;
  end;
  rule "busy" pc[i] = 4 & !busy[at[i]] ==> begin busy[at[i]] := true; pc[i] := 5; end;
  rule "read" pc[i] = 5 & !writer ==> begin readers := readers + 1; pc[i] := 6; end;
  rule "wire" pc[i] = 6 ==> begin readers := readers - 1; wired[at[i]] := true; pc[i] := 7; end;
  rule "done" pc[i] = 7 ==> begin
    busy[at[i]] := false;
    if at[i] < last[i] then at[i] := at[i] + 1; pc[i] := 4; else at[i] := 0; last[i] := 0; pc[i] := 8; end;
  end;
  rule "join" pc[i] = 9 ==> begin
    inTransition[i] := false;
    if i > 0 then if present[i - 1] & !inTransition[i - 1] then joined[i - 1] := true; end; end;
    if i < T - 1 then if present[i + 1] & !inTransition[i + 1] then joined[i] := true; end; end;
    pc[i] := 10;
  end;
  rule "cut" pc[i] = 11 & !writer & readers = 0 ==> begin writer := true; cut(i); at[i] := i * P; pc[i] := 12; end;
  rule "unwire" pc[i] = 12 & !busy[at[i]] ==> begin
    wired[at[i]] := false;
    if at[i] < (i + 1) * P - 1 then at[i] := at[i] + 1; else at[i] := 0; pc[i] := 13; end;
  end;
  rule "gone" pc[i] = 13 ==> begin present[i] := false; writer := false; pc[i] := 0; end;
end;
