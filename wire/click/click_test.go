package click

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func testKey(id uint8) Key { return Key{ID: id, Secret: bytes.Repeat([]byte{id}, 32)} }

func mustKeyring(t testing.TB, keys ...Key) *Keyring {
	t.Helper()
	k, err := NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestMintedIDCarriesItsFields(t *testing.T) {
	k := mustKeyring(t, testKey(7))
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, maxIDMilli).Draw(t, "ms")
		node := rapid.Uint16().Draw(t, "node")
		link, affiliate := rapid.Int64Min(0).Draw(t, "link"), rapid.Int64Min(0).Draw(t, "affiliate")
		id, err := ParseVerified(k, k.Mint(time.UnixMilli(ms), node, link, affiliate).String())
		if err != nil {
			t.Fatal(err)
		}
		if id.UnixMilli() != ms || id.Node() != node || id.LinkID() != link || id.AffiliateID() != affiliate || id.KeyID() != 7 {
			t.Fatalf("got %d %d %d %d %d", id.UnixMilli(), id.Node(), id.LinkID(), id.AffiliateID(), id.KeyID())
		}
	})
}

func TestIDTextSortsByTimeAcrossKeysAndNodes(t *testing.T) {
	old, current := mustKeyring(t, testKey(9)), mustKeyring(t, testKey(1), testKey(9))
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, maxIDMilli-1).Draw(t, "a")
		b := rapid.Int64Range(a+1, maxIDMilli).Draw(t, "b")
		first := old.Mint(time.UnixMilli(a), rapid.Uint16().Draw(t, "na"), 5, 5).String()
		second := current.Mint(time.UnixMilli(b), rapid.Uint16().Draw(t, "nb"), 1, 1).String()
		if first >= second {
			t.Fatalf("%s at %d does not sort before %s at %d", first, a, second, b)
		}
	})
}

func TestKeyRotation(t *testing.T) {
	before, during, after := mustKeyring(t, testKey(1)), mustKeyring(t, testKey(2), testKey(1)), mustKeyring(t, testKey(2))
	id := before.Mint(time.Now(), 1, 2, 3)
	if err := during.Verify(id); err != nil {
		t.Errorf("old key during rotation: %v", err)
	}
	if err := after.Verify(id); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("old key after rotation: %v; want ErrUnknownKey", err)
	}
	if id := during.Mint(time.Now(), 1, 2, 3); id.KeyID() != 2 {
		t.Errorf("signed with key %d; want the first, 2", id.KeyID())
	}
}

func TestEveryFlippedBitIsForged(t *testing.T) {
	k := mustKeyring(t, testKey(1))
	id := k.Mint(time.Now(), 1, 2, 3)
	for bit := range IDSize * 8 {
		forged := id
		forged[bit/8] ^= 1 << (bit % 8)
		if _, err := ParseVerified(k, forged.String()); err == nil {
			t.Fatalf("bit %d flipped: accepted", bit)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	good := mustKeyring(t, testKey(1)).Mint(time.Now(), 1, 2, 3).String()
	for name, s := range map[string]string{
		"empty": "", "short": good[:59], "long": good + "A", "line break": good[:30] + "\n" + good[31:],
		"padding": good[:59] + "=", "other alphabet": "+" + good[1:], "unicode": good[:58] + "é", "zero": ID{}.String(),
	} {
		if _, err := ParseID(s); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v; want ErrMalformed", name, err)
		}
	}
}

func TestIDsAreUnique(t *testing.T) {
	k, now := mustKeyring(t, testKey(1)), time.Now()
	seen := make(map[ID]bool)
	for range 100_000 {
		id := k.Mint(now, 1, 2, 3)
		if seen[id] {
			t.Fatal("an ID came twice")
		}
		seen[id] = true
	}
}

func TestParseKey(t *testing.T) {
	key, err := ParseKey("3:" + base64.StdEncoding.EncodeToString(testKey(3).Secret))
	if err != nil || key.ID != 3 || !bytes.Equal(key.Secret, testKey(3).Secret) {
		t.Fatalf("got %v, %v", key, err)
	}
	for _, s := range []string{"", "3", "x:AAAA", "256:AAAA", "1:***"} {
		if _, err := ParseKey(s); err == nil {
			t.Errorf("ParseKey(%q) accepted", s)
		}
	}
	for _, keys := range [][]Key{nil, {{ID: 1, Secret: []byte("short")}}, {testKey(1), testKey(1)}} {
		if _, err := NewKeyring(keys...); err == nil {
			t.Errorf("NewKeyring with %d keys accepted", len(keys))
		}
	}
}

func fullRecord(t testing.TB) Record {
	r := Record{ID: mustKeyring(t, testKey(1)).Mint(time.UnixMilli(1764000000123), 3, 1<<62, 42), ProgramID: 99, Visitor: 1<<63 + 5}
	for i, f := range r.text() {
		*f = strings.Repeat(string(rune('a'+i)), i)
	}
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	for name, want := range map[string]Record{"full": fullRecord(t), "empty": {}} {
		got, err := Parse(string(want.Append(nil)))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	long := Record{UserAgent: strings.Repeat("u", MaxField+1)}
	if got, err := Parse(string(long.Append(nil))); err != nil || len(got.UserAgent) != MaxField {
		t.Errorf("long field: %d bytes, %v", len(got.UserAgent), err)
	}
}

func TestParseRefusesEveryTruncation(t *testing.T) {
	r := fullRecord(t)
	b := string(r.Append(nil))
	for n := range len(b) {
		if _, err := Parse(b[:n]); !errors.Is(err, ErrRecord) {
			t.Fatalf("first %d of %d bytes: %v; want ErrRecord", n, len(b), err)
		}
	}
	for name, s := range map[string]string{"one byte more": b + "x", "other version": "\x02" + b[1:]} {
		if _, err := Parse(s); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v; want ErrRecord", name, err)
		}
	}
}

func TestAppendNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.77": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24",
		"2001:db8:1234:5678::1": "2001:db8:1234::/48", "fe80::1%eth0": "fe80::/48",
	} {
		if got := string(AppendNetwork(nil, netip.MustParseAddr(in))); got != want {
			t.Errorf("%s: %s; want %s", in, got, want)
		}
	}
	if got := AppendNetwork(nil, netip.Addr{}); len(got) != 0 {
		t.Errorf("no address: %q", got)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(mustKeyring(f, testKey(1)).Mint(time.Now(), 1, 2, 3).String())
	f.Add("")
	f.Add(strings.Repeat("-", IDTextLen))
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseID(s); err == nil && id.String() != s {
			t.Fatalf("%q parses to %q", s, id)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	full := fullRecord(f)
	f.Add(string(full.Append(nil)))
	f.Add(string((&Record{}).Append(nil)))
	f.Add("\x01")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := Parse(s); err == nil && string(r.Append(nil)) != s {
			t.Fatalf("%q does not encode back", s)
		}
	})
}

func BenchmarkMint(b *testing.B) {
	k := mustKeyring(b, testKey(1))
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		k.Mint(now, 1, 2, 3)
	}
}

func BenchmarkVerify(b *testing.B) {
	k := mustKeyring(b, testKey(1))
	s := k.Mint(time.Now(), 1, 2, 3).String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseVerified(k, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecordAppend(b *testing.B) {
	r := fullRecord(b)
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.Append(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkRecordParse(b *testing.B) {
	r := fullRecord(b)
	s := string(r.Append(nil))
	b.ReportAllocs()
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		if _, err := Parse(s); err != nil {
			b.Fatal(err)
		}
	}
}
