package links

import (
	"fmt"
	"hash/maphash"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/wire/link"
)

// model is what a linkSet must be equal to.
type model struct {
	links    map[int64]link.Link
	slugs    map[string]int64
	programs map[int64]link.Program
}

func (m *model) putLink(l link.Link) {
	old, ok := m.links[l.ID]
	if ok && old.Rev >= l.Rev {
		return
	}
	if ok && m.slugs[old.Slug] == l.ID {
		delete(m.slugs, old.Slug)
	}
	m.links[l.ID] = l
	if holder, taken := m.slugs[l.Slug]; !taken || m.links[holder].Rev < l.Rev {
		m.slugs[l.Slug] = l.ID
	}
}

func (m *model) putProgram(p link.Program) {
	if old, ok := m.programs[p.ID]; !ok || old.Rev < p.Rev {
		m.programs[p.ID] = p
	}
}

// check compares everything that can be asked.
func (m *model) check(t *rapid.T, r *replica) {
	t.Helper()
	set := r.live
	if set.ids.used != len(m.links) || set.slugs.used != len(m.slugs) {
		t.Fatalf("%d links and %d slugs, want %d and %d", set.ids.used, set.slugs.used, len(m.links), len(m.slugs))
	}
	for id, want := range m.links {
		p, known := m.programs[want.ProgramID]
		got, ok := r.byID(id)
		if ok != known || ok && !cmp.Equal(got, link.Resolved{Link: want, Program: p}) {
			t.Fatalf("link %d: %+v, %v; want %+v", id, got, ok, want)
		}
	}
	for slug := range 40 {
		slug := fmt.Sprint("s", slug)
		id, want := m.slugs[slug]
		_, want2 := m.programs[m.links[id].ProgramID]
		k := r.bySlug(maphash.String(r.seed, slug), slug)
		if k.ok != (want && want2) || k.ok && k.link.ID != id {
			t.Fatalf("slug %s: %+v, %v; want link %d, %v", slug, k.link, k.ok, id, want)
		}
	}
	checkArena(t, set)
}

// checkArena checks that every retired chunk of which more than half is dead is about to be emptied, and that the books
// are right.
func checkArena(t *rapid.T, set *linkSet) {
	for c := range set.arena.chunks {
		alive := 0
		set.arena.records(c, func(at ref, rec record) {
			if _, ok := set.holds(&set.ids, hashID(rec.id()), at); ok {
				alive += align(rec.size())
			}
		})
		used := len(set.arena.chunks[c])
		if c != set.arena.head && set.arena.chunks[c] != nil {
			used = chunkSize
			if set.arena.dead[c] > chunkSize/2 && !slices.Contains(set.arena.sparse, c) {
				t.Fatalf("chunk %d: %d dead bytes are left", c, set.arena.dead[c])
			}
		}
		if alive != used-set.arena.dead[c] {
			t.Fatalf("chunk %d: %d bytes alive, %d used, %d dead", c, alive, used, set.arena.dead[c])
		}
	}
}

func drawLink(t *rapid.T) link.Link {
	return link.Link{
		ID:          rapid.Int64Range(1, 30).Draw(t, "id"),
		Slug:        fmt.Sprint("s", rapid.IntRange(0, 39).Draw(t, "slug")),
		AffiliateID: rapid.Int64Range(1, 1<<62).Draw(t, "affiliate"),
		ProgramID:   rapid.Int64Range(1, 4).Draw(t, "program"),
		Destination: strings.Repeat("d", rapid.SampledFrom([]int{0, 7, 100, 30_000, maxDestination}).Draw(t, "length")),
		State:       rapid.SampledFrom([]link.State{link.Active, link.Disabled}).Draw(t, "state"),
		ExpiresAt:   rapid.Int64().Draw(t, "expires"),
		Rev:         rapid.Int64Range(0, 1000).Draw(t, "rev"),
	}
}

func TestReplicaIsAMapByRevision(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		seed := maphash.MakeSeed()
		r := newReplica(seed, 1<<30, newLinkSet(seed, 1<<30))
		m := &model{links: map[int64]link.Link{}, slugs: map[string]int64{}, programs: map[int64]link.Program{}}
		path := filepath.Join(dir, "snapshot")
		var pin *pinned
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { m.check(t, r) },
			"put links": func(t *rapid.T) {
				for range rapid.IntRange(1, 60).Draw(t, "n") {
					l := drawLink(t)
					if r.live.putLink(&l, r.touch) == putNew && len(r.live.arena.sparse) > 0 {
						t.Fatal("not compacted")
					}
					m.putLink(l)
				}
			},
			"put program": func(t *rapid.T) {
				p := link.Program{
					ID: rapid.Int64Range(1, 4).Draw(t, "id"), Rev: rapid.Int64Range(0, 100).Draw(t, "rev"),
					ClickParam: rapid.String().Draw(t, "param"), AllowedHosts: rapid.SliceOfN(rapid.Just("h"), 1, 3).Draw(t, "hosts"),
				}
				r.live.putProgram(&p)
				m.putProgram(p)
			},
			"pin": func(t *rapid.T) {
				if pin == nil {
					pin = r.pin()
				}
			},
			"release": func(t *rapid.T) {
				if pin != nil {
					pin.release()
					pin = nil
				}
			},
			"restart": func(t *rapid.T) {
				if pin != nil {
					t.Skip("one reader at a time")
				}
				r.live.feed, r.live.cursor = "feed", rapid.Int64Range(0, 9).Draw(t, "cursor")
				if _, err := saveSnapshot(path, r, nil, time.Now()); err != nil {
					t.Fatal(err)
				}
				set := newLinkSet(seed, 1<<30)
				if _, _, err := loadSnapshot(path, set); err != nil {
					t.Fatal(err)
				}
				if set.cursor != r.live.cursor || set.feed != "feed" {
					t.Fatalf("position %s, %d", set.feed, set.cursor)
				}
				r = newReplica(seed, 1<<30, set)
				// Only the newest link of a slug is found by it after a restart, whatever was there before.
				m.slugs = map[string]int64{}
				for id, l := range m.links {
					if holder, ok := m.slugs[l.Slug]; !ok || m.links[holder].Rev < l.Rev || m.links[holder].Rev == l.Rev && r.live.slugHolder(l.Slug) == id {
						m.slugs[l.Slug] = id
					}
				}
			},
		})
	})
}

func (s *linkSet) slugHolder(slug string) int64 {
	r, _ := s.findSlug(maphash.String(s.seed, slug), slug)
	return s.arena.at(r).id()
}

// A reader that goes chunk by chunk while links change sees every link that was there when it began.
func TestPinnedReaderMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := maphash.MakeSeed()
		r := newReplica(seed, 1<<30, newLinkSet(seed, 1<<30))
		rev := int64(0)
		put := func() {
			l := drawLink(t)
			rev++
			l.Rev, l.Slug = rev, fmt.Sprint("s", l.ID)
			r.live.putLink(&l, r.touch)
		}
		for range 150 {
			put()
		}
		want := map[int64]int64{}
		for id := range int64(31) {
			if at, _ := r.live.findID(id); at != 0 {
				want[id] = r.live.arena.at(at).rev()
			}
		}
		p := r.pin()
		got := map[int64]int64{}
		for c := 0; ; c++ {
			b, ok := p.chunk(nil, c)
			if !ok {
				break
			}
			for len(b) > 0 {
				rec, rest, err := cutRecord(b)
				if err != nil {
					t.Fatal(err)
				}
				got[rec.id()], b = max(got[rec.id()], rec.rev()), rest
			}
			for range rapid.IntRange(0, 60).Draw(t, "meanwhile") {
				put()
			}
		}
		p.release()
		for id, rev := range want {
			if got[id] < rev {
				t.Fatalf("link %d: revision %d, was %d before", id, got[id], rev)
			}
		}
	})
}

func TestFullReplicaDropsRatherThanKeepsOld(t *testing.T) {
	seed := maphash.MakeSeed()
	set := newLinkSet(seed, 2*chunkSize)
	l := testLink(0, "")
	l.Destination = strings.Repeat("d", 60_000)
	put := func(id, rev int64) putOutcome {
		l.ID, l.Slug, l.Rev = id, fmt.Sprint("s", id), rev
		return set.putLink(&l, func(uint64) {})
	}
	id := int64(1)
	for put(id, 1) == putNew {
		id++
	}
	if set.arena.bytes() != 2*chunkSize || set.ids.used != int(id-1) {
		t.Fatalf("%d bytes, %d links", set.arena.bytes(), set.ids.used)
	}
	if o := put(1, 2); o != putFull {
		t.Fatalf("outcome %d", o)
	}
	if at, _ := set.findID(1); at != 0 {
		t.Error("the older revision is still there")
	}
	// Room is found again, by compaction, once enough is dead.
	stored := 0
	for rev := int64(3); rev < 40; rev++ {
		if put(rev%(id-1)+1, rev) == putNew {
			stored++
		}
	}
	if stored == 0 || set.arena.bytes() > 3*chunkSize {
		t.Errorf("%d stored, %d bytes", stored, set.arena.bytes())
	}
}

func TestProgramsAreBounded(t *testing.T) {
	set := newLinkSet(maphash.MakeSeed(), chunkSize)
	if o := set.putProgram(&link.Program{ID: 1, AllowedHosts: []string{strings.Repeat("h", maxProgram)}}); o != putInvalid {
		t.Errorf("huge program: %d", o)
	}
	if o := set.putProgram(&link.Program{}); o != putInvalid {
		t.Errorf("no id: %d", o)
	}
	for id := range int64(maxPrograms) {
		set.programs[id+1] = nil
	}
	if o := set.putProgram(&link.Program{ID: maxPrograms + 1}); o != putFull {
		t.Errorf("one too many: %d", o)
	}
}

func FuzzRecord(f *testing.F) {
	l := testLink(1, "slug")
	b, err := appendRecord(nil, &l)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(append(b, b...))
	f.Add(b[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, rest, err := cutRecord(b)
		if err != nil {
			return
		}
		l := rec.link()
		again, err := appendRecord(nil, &l)
		if err != nil || string(again)+string(rest) != string(b) {
			t.Fatalf("%+v, %v", l, err)
		}
	})
}

// fill makes a set of n links as they are in life: slugs of 10 and destinations of 60 bytes.
func fill(n int) *linkSet {
	set := newLinkSet(maphash.MakeSeed(), 1<<30)
	set.putProgram(&link.Program{ID: 1})
	for i := range n {
		id := int64(1)<<60 + int64(i)*4096
		l := link.Link{
			ID: id, Slug: fmt.Sprintf("slug%06x", i), AffiliateID: id / 3, ProgramID: 1, State: link.Active, Rev: int64(i),
			Destination: fmt.Sprintf("https://shop.example/courses/marketing?c={click_id}&n=%06x", i),
		}
		set.putLink(&l, func(uint64) {})
	}
	return set
}

func TestMemoryOfAMillionLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n, limit = 1_000_000, 200 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	set := fill(n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	started := time.Now()
	runtime.GC()
	t.Logf("%d links: %d MiB of heap (%d bytes a link), full collection %v", n, grown>>20, grown/n, time.Since(started))
	if set.ids.used != n || set.slugs.used != n {
		t.Errorf("%d links, %d slugs", set.ids.used, set.slugs.used)
	}
	if grown > limit || set.bytes() < grown*9/10 || set.bytes() > grown*11/10 {
		t.Errorf("%d bytes of heap, %d reported; limit %d", grown, set.bytes(), limit)
	}
}
