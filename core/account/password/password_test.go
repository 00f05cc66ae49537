package password_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/edgeref/edgeref/core/account/password"
)

func cheap() password.Params { return password.Params{Memory: 64, Time: 1, Threads: 1} }

func TestHashAndVerify(t *testing.T) {
	h := password.New(password.Options{Params: cheap()})
	phc, err := h.Hash(t.Context(), "a sail over the lake")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("%q, %v", phc, err)
	}
	if again, _ := h.Hash(t.Context(), "a sail over the lake"); again == phc {
		t.Error("two hashes are the same: there is no salt")
	}
	if ok, outdated, err := h.Verify(t.Context(), phc, "a sail over the lake"); !ok || outdated || err != nil {
		t.Errorf("%v, %v, %v", ok, outdated, err)
	}
	for _, wrong := range []string{"", "a sail over the lakE", "a sail over the lake "} {
		if ok, _, err := h.Verify(t.Context(), phc, wrong); ok || err != nil {
			t.Errorf("%q: %v, %v", wrong, ok, err)
		}
	}
	newer := password.New(password.Options{Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
	if ok, outdated, err := newer.Verify(t.Context(), phc, "a sail over the lake"); !ok || !outdated || err != nil {
		t.Errorf("newer parameters: %v, %v, %v", ok, outdated, err)
	}
}

// Nobody's hash is verified like any other, and is never right: not even with the password that the decoy was made of.
func TestNobodysHash(t *testing.T) {
	h := password.New(password.Options{Params: cheap()})
	for _, text := range []string{"", "x", string(make([]byte, 32))} {
		if ok, _, err := h.Verify(t.Context(), "", text); ok || err != nil {
			t.Errorf("%q: %v, %v", text, ok, err)
		}
	}
}

// More than may wait are turned away; who waits can give up.
func TestHasherIsBounded(t *testing.T) {
	h := password.New(password.Options{Params: password.Params{Memory: 32 << 10, Time: 2, Threads: 1}, Concurrent: 1, Waiting: 2})
	var mu sync.Mutex
	results := map[bool]int{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := h.Hash(context.Background(), "a sail over the lake")
			if err != nil && !errors.Is(err, password.ErrBusy) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			results[err == nil]++
		})
	}
	wg.Wait()
	if results[true] < 3 || results[false] == 0 {
		t.Errorf("%d hashed, %d turned away", results[true], results[false])
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // a free turn and an ended context race; the end must be seen at least once, and nothing may leak
		_, _ = h.Hash(gone, "x")
	}
	if _, err := h.Hash(t.Context(), "x"); err != nil {
		t.Errorf("after those who gave up: %v", err)
	}
}

func TestDamagedHashes(t *testing.T) {
	h := password.New(password.Options{Params: cheap()})
	salt, key := strings.Repeat("A", 22), strings.Repeat("A", 43)
	for _, phc := range []string{
		"x", "$argon2id$", "$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + key, "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=99999999,t=1,p=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=99,p=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=1,p=99$" + salt + "$" + key,
		"$argon2id$v=19$m=0,t=1,p=1$" + salt + "$" + key, "$argon2id$v=19$m=064,t=1,p=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=1,p=1$AA$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$AA", "$argon2id$v=19$t=1,m=64,p=1$" + salt + "$" + key,
	} {
		if _, _, err := h.Verify(t.Context(), phc, "x"); !errors.Is(err, password.ErrDamaged) {
			t.Errorf("%s: %v", phc, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$"+strings.Repeat("A", 22)+"$"+strings.Repeat("A", 43), "x")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$", "")
	f.Fuzz(func(t *testing.T, phc, text string) {
		if strings.Contains(phc, "m=") && !strings.Contains(phc, "m=64,t=1,p=1") {
			t.Skip("costs too much")
		}
		h := password.New(password.Options{Params: cheap()})
		if ok, _, err := h.Verify(t.Context(), phc, text); ok && err != nil {
			t.Errorf("right, with %v", err)
		}
	})
}

func TestRules(t *testing.T) {
	for text, good := range map[string]bool{
		"a sail over the lake": true, "Tr4vels in Kerala": true, "ഒരു നല്ല രഹസ്യം": true, "correct horse battery": true,
		"short": false, "123456789": false, "1234567890": false, "aaaaaaaaaaaa": false, "abcabcabcabc": false, "password123!": false, "P@ssw0rd2026": false,
		"iloveyouso": false, "jaishreeram108": false, "qwertyuiop": false, "1q2w3e4r5t": false, "annette1990": false, "0000000000": false,
		"with\nline break": false, strings.Repeat("long word ", 21): false, "correct horse battery staple": false,
	} {
		if reason := password.Check(text, "annette@example.com"); (reason == "") != good {
			t.Errorf("%q: %q", text, reason)
		}
	}
}
