package links

// table finds references by hash: open addressing with linear probing, four bytes a slot. It holds no keys; its users
// compare with the record that a reference leads to.
type table struct {
	slots []ref // a power of two of them
	used  int
}

// find returns the reference that matches and its slot, or 0.
func (t *table) find(hash uint64, match func(ref) bool) (r ref, slot int) {
	if len(t.slots) == 0 {
		return 0, 0
	}
	mask := len(t.slots) - 1
	for i := int(hash) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if match(t.slots[i]) {
			return t.slots[i], i
		}
	}
	return 0, 0
}

// insert adds a reference that is not in the table. hashOf is asked for the hashes of the others when the table grows.
func (t *table) insert(hash uint64, r ref, hashOf func(ref) uint64) {
	if (t.used+1)*4 > len(t.slots)*3 {
		t.resize(max(64, 2*len(t.slots)), hashOf)
	}
	t.place(hash, r)
	t.used++
}

func (t *table) place(hash uint64, r ref) {
	mask := len(t.slots) - 1
	i := int(hash) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = r
}

func (t *table) resize(n int, hashOf func(ref) uint64) {
	old := t.slots
	t.slots = make([]ref, n)
	for _, r := range old {
		if r != 0 {
			t.place(hashOf(r), r)
		}
	}
}

// remove empties a slot and closes the gap, so that no search ends before its time.
func (t *table) remove(slot int, hashOf func(ref) uint64) {
	mask := len(t.slots) - 1
	gap := slot
	for i := (slot + 1) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		home := int(hashOf(t.slots[i])) & mask
		// A reference may move to the gap unless its home lies behind the gap.
		if (i-home)&mask >= (i-gap)&mask {
			t.slots[gap] = t.slots[i]
			gap = i
		}
	}
	t.slots[gap] = 0
	t.used--
}

// bytes is the memory that the table holds.
func (t *table) bytes() int64 { return int64(len(t.slots)) * 4 }
