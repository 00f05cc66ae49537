package sqlite

// distinct counts distinct pairs of a number and a part, such as a visitor and a cell. It keeps a hash of 64 bits a
// pair in an open hash table that is at most half full: within a part two numbers never share a hash, and across parts
// a million pairs do so with a chance of less than one in ten million. So it is exact, in a few bytes.
type distinct struct {
	slots []uint64 // 0: free
	used  int
}

const firstSlots = 1 << 10

func newDistinct() *distinct { return &distinct{slots: make([]uint64, firstSlots)} }

// reset forgets everything.
func (d *distinct) reset() {
	if d.used > 0 {
		clear(d.slots)
		d.used = 0
	}
}

// add reports whether the pair is new.
func (d *distinct) add(number uint64, part uint32) bool {
	hash := mix(number, part)
	mask := uint64(len(d.slots) - 1)
	at := hash & mask
	for d.slots[at] != hash {
		if d.slots[at] == 0 {
			d.slots[at] = hash
			if d.used++; 2*d.used > len(d.slots) {
				d.grow()
			}
			return true
		}
		at = (at + 1) & mask
	}
	return false
}

func (d *distinct) grow() {
	old := d.slots
	d.slots = make([]uint64, 2*len(old))
	mask := uint64(len(d.slots) - 1)
	for _, hash := range old {
		if hash == 0 {
			continue
		}
		at := hash & mask
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = hash
	}
}

// mix spreads the pair over 64 bits, one to one within a part; it never returns 0, for which 1 stands in. The number
// is spread before the part comes in: numbers and parts that have a pattern in common must not cancel out.
func mix(number uint64, part uint32) uint64 {
	return max(1, spread(spread(number)+uint64(part)*0x9e3779b97f4a7c15))
}

func spread(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}
