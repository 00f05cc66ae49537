package meter

import (
	"bytes"
	"testing"
)

func TestPlainLinesAtEachTenth(t *testing.T) {
	var out bytes.Buffer
	m := New(&out, "send", 20)
	for range 25 { // more than was said
		m.Add(1)
	}
	want := "send: 2 of 20\nsend: 4 of 20\nsend: 6 of 20\nsend: 8 of 20\nsend: 10 of 20\nsend: 12 of 20\nsend: 14 of 20\nsend: 16 of 20\nsend: 18 of 20\nsend: 20 of 20\n"
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

func TestNothingToDo(t *testing.T) {
	var out bytes.Buffer
	m := New(&out, "send", 0)
	m.Add(1)
	if out.Len() != 0 {
		t.Errorf("got %q", out.String())
	}
}
