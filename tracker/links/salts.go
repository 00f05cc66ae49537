package links

import (
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeref/edgeref/wire/link"
)

const saltSize = 16 // bytes

// dayOf is the UTC day of a time, in days since 1970-01-01.
func dayOf(t time.Time) int64 { return t.Unix() / int64(24*time.Hour/time.Second) }

// alive reports whether a day's salt may exist today. 48 hours after its day began it must not exist any more, because
// until then it can tell whose a visitor hash is; and none is taken in more than two days ahead.
func alive(day, today int64) bool { return today-1 <= day && day <= today+2 }

// salt is the key of one day's visitor hashes.
type salt struct {
	Day   int64          `json:"day"`
	Key   [saltSize]byte `json:"key"`
	Local bool           `json:"local"` // made here, because the core had not given one
}

// salts holds the few salts that are valid. Reading takes no lock.
type salts struct {
	now  func() time.Time
	made func() // told of every salt that was made here

	mu    sync.Mutex
	valid atomic.Pointer[[]salt]
}

func newSalts(now func() time.Time, loaded []salt, made func()) *salts {
	s := &salts{now: now, made: made}
	loaded = slices.Clone(loaded)
	s.valid.Store(&loaded)
	return s
}

// get returns the salt of a day. Where there is none, one is made for yesterday, today and tomorrow; ok is false for
// every other day.
func (s *salts) get(day int64) (key [saltSize]byte, ok bool) {
	today := dayOf(s.now())
	if !alive(day, today) {
		return key, false
	}
	if found := s.find(day); found != nil {
		return found.Key, true
	}
	if day > today+1 {
		return key, false
	}
	return s.make(day), true
}

func (s *salts) find(day int64) *salt {
	valid := *s.valid.Load()
	for i := range valid {
		if valid[i].Day == day {
			return &valid[i]
		}
	}
	return nil
}

func (s *salts) make(day int64) [saltSize]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.find(day); found != nil {
		return found.Key
	}
	made := salt{Day: day, Local: true}
	rand.Read(made.Key[:])
	s.store(append(slices.Clone(*s.valid.Load()), made))
	s.made()
	return made.Key
}

func (s *salts) store(valid []salt) { s.valid.Store(&valid) }

// offer takes in the core's salts. The first key that a day had stays its key, so that one visitor has one hash a day;
// only a day that has not come yet, and has no salt made here, changes its key with the core.
func (s *salts) offer(from []link.Salt) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	today := dayOf(s.now())
	valid := slices.Clone(*s.valid.Load())
	for _, offered := range from {
		if len(offered.Key) != saltSize || !alive(offered.Day, today) {
			continue
		}
		fresh := salt{Day: offered.Day, Key: [saltSize]byte(offered.Key)}
		i := slices.IndexFunc(valid, func(k salt) bool { return k.Day == offered.Day })
		switch {
		case i < 0:
			valid = append(valid, fresh)
		case offered.Day > today && !valid[i].Local && valid[i].Key != fresh.Key:
			valid[i] = fresh
		default:
			continue
		}
		changed = true
	}
	if changed {
		s.store(valid)
	}
	return changed
}

// purge forgets the salts that are past their life.
func (s *salts) purge() (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	today := dayOf(s.now())
	valid := slices.DeleteFunc(slices.Clone(*s.valid.Load()), func(k salt) bool { return !alive(k.Day, today) })
	if len(valid) == len(*s.valid.Load()) {
		return false
	}
	s.store(valid)
	return true
}

func (s *salts) all() []salt { return *s.valid.Load() }
