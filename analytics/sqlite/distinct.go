package sqlite

import "math/bits"

// distinct counts distinct pairs of a number and a part, exactly, day by day: reset starts a new day without touching
// the memory of the last one. It is an open hash table, at most half full.
type distinct struct {
	slots []slot
	day   uint32
	used  int // slots of this day
}

type slot struct {
	number uint64
	part   uint32
	day    uint32 // 0: never used
}

const firstSlots = 1 << 10

func newDistinct() *distinct { return &distinct{slots: make([]slot, firstSlots), day: 1} }

// reset forgets everything.
func (d *distinct) reset() {
	d.day++
	d.used = 0
}

// add reports whether the pair is new.
func (d *distinct) add(number uint64, part uint32) bool {
	mask := uint64(len(d.slots) - 1)
	for at := mix(number, part) & mask; ; at = (at + 1) & mask {
		s := &d.slots[at]
		if s.day != d.day {
			*s = slot{number, part, d.day}
			if d.used++; 2*d.used > len(d.slots) {
				d.grow()
			}
			return true
		}
		if s.number == number && s.part == part {
			return false
		}
	}
}

func (d *distinct) grow() {
	old := d.slots
	d.slots = make([]slot, 2*len(old))
	mask := uint64(len(d.slots) - 1)
	for _, s := range old {
		if s.day != d.day {
			continue
		}
		at := mix(s.number, s.part) & mask
		for d.slots[at].day == d.day {
			at = (at + 1) & mask
		}
		d.slots[at] = s
	}
}

// mix spreads the pair over 64 bits, so that visitors' hashes need not be good ones.
func mix(number uint64, part uint32) uint64 {
	hi, lo := bits.Mul64(number^0x9e3779b97f4a7c15, (uint64(part)<<1|1)*0xd6e8feb86659fd93)
	h := (hi ^ lo) * 0xff51afd7ed558ccd
	return h ^ h>>32
}
