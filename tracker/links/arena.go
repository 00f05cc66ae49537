package links

// chunkSize is how much the arena grows by, and the most that one step of compaction or one read for a snapshot looks
// at, so no lock is held for longer than it takes to go through this much memory. Bytes.
const chunkSize = 1 << 20

// chunkUnits is chunkSize in the 8-byte units that references count.
const chunkUnits = chunkSize / 8

// maxChunks is half of what a ref can reach, so that there is always somewhere to move records to.
const maxChunks = 1 << 32 / chunkUnits / 2

// ref is the place of a record in the arena, in units of 8 bytes, plus one; 0 is none. It reaches 32 GiB.
type ref uint32

// arena holds records in chunks that have no pointers, which the garbage collector therefore does not look into.
// Records are only appended; a chunk of which more than half is dead is emptied by its owner (see linkSet.compact).
type arena struct {
	chunks [][]byte // nil where free
	dead   []int    // dead bytes in each chunk
	free   []int    // indexes of free chunks
	sparse []int    // indexes of chunks to be emptied
	head   int      // the chunk that is appended to, if there is any chunk
	pinned bool     // somebody reads chunk by chunk: whatever is added or moved comes behind
	limit  int      // most chunks for what is put in; what is moved may take more, since that frees as much
}

func (a *arena) at(r ref) record {
	r--
	return record(a.chunks[r/chunkUnits][r%chunkUnits*8:])
}

func chunkOf(r ref) int { return int(r-1) / chunkUnits }

// put copies a record in; it fails when the arena is full.
func (a *arena) put(rec []byte) (ref, bool) {
	if !a.fits(rec) && len(a.chunks)-len(a.free) >= a.limit {
		return 0, false
	}
	return a.add(rec), true
}

func (a *arena) fits(rec []byte) bool {
	return len(a.chunks) > 0 && len(a.chunks[a.head])+align(len(rec)) <= chunkSize
}

// add is put without the limit.
func (a *arena) add(rec []byte) ref {
	if !a.fits(rec) {
		a.grow()
	}
	chunk, size := a.chunks[a.head], align(len(rec))
	at := ref(a.head*chunkUnits+len(chunk)/8) + 1
	a.chunks[a.head] = append(chunk, rec...)[:len(chunk)+size]
	return at
}

func (a *arena) grow() {
	next, retired := len(a.chunks), a.head
	if n := len(a.free); n > 0 && !a.pinned {
		next = a.free[n-1]
		a.free = a.free[:n-1]
	} else {
		a.chunks = append(a.chunks, nil)
		a.dead = append(a.dead, 0)
	}
	a.chunks[next], a.dead[next], a.head = make([]byte, 0, chunkSize), 0, next
	if retired != next {
		a.dead[retired] += chunkSize - len(a.chunks[retired])
		if a.dead[retired] > chunkSize/2 {
			a.sparse = append(a.sparse, retired)
		}
	}
}

// pin makes all that is added from now on come behind all that is there.
func (a *arena) pin() {
	a.pinned = true
	if a.head < len(a.chunks)-1 {
		a.grow()
	}
}

// drop declares a record dead.
func (a *arena) drop(r ref) {
	c, size := chunkOf(r), align(a.at(r).size())
	before := a.dead[c]
	a.dead[c] += size
	if c != a.head && before <= chunkSize/2 && a.dead[c] > chunkSize/2 {
		a.sparse = append(a.sparse, c)
	}
}

// release frees a chunk that holds nothing alive.
func (a *arena) release(c int) {
	a.chunks[c], a.dead[c] = nil, 0
	a.free = append(a.free, c)
}

// records goes through all records of a chunk, dead ones too.
func (a *arena) records(c int, visit func(ref, record)) {
	chunk := a.chunks[c]
	for at := 0; at < len(chunk); {
		rec := record(chunk[at:])
		visit(ref(c*chunkUnits+at/8)+1, rec)
		at += align(rec.size())
	}
}

// bytes is the memory that the arena holds.
func (a *arena) bytes() int64 { return int64(len(a.chunks)-len(a.free)) * chunkSize }

func align(n int) int { return (n + 7) &^ 7 }
