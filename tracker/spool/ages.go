package spool

import (
	"sort"
	"time"
)

// ages remembers when records were appended, coarsely and in bounded memory: an age read from it is never too small.
type ages struct {
	marks [256]mark
	n     int
}

type mark struct {
	seq uint64
	at  time.Time
}

// ageGrain is the finest distance of two marks.
const ageGrain = 10 * time.Millisecond

// add says that the records from seq on were appended at or after at.
func (a *ages) add(seq uint64, at time.Time) {
	if a.n > 0 && at.Sub(a.marks[a.n-1].at) < ageGrain {
		return
	}
	if a.n == len(a.marks) {
		for i := range a.n / 2 {
			a.marks[i] = a.marks[2*i]
		}
		a.n /= 2
	}
	a.marks[a.n] = mark{seq, at}
	a.n++
}

// of returns when the record was appended, or a little earlier.
func (a *ages) of(seq uint64) time.Time {
	if i := a.covering(seq); i >= 0 {
		return a.marks[i].at
	}
	return time.Time{}
}

// forget drops what is only of use for records before seq.
func (a *ages) forget(seq uint64) {
	if i := a.covering(seq); i > 0 {
		a.n = copy(a.marks[:], a.marks[i:a.n])
	}
}

// covering returns the last mark at or before seq, else the first, else -1.
func (a *ages) covering(seq uint64) int {
	i := sort.Search(a.n, func(i int) bool { return a.marks[i].seq > seq }) - 1
	if i < 0 && a.n > 0 {
		return 0
	}
	return i
}
