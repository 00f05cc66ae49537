package main

import (
	"fmt"
	"strings"
	"testing"
)

// mapping is an entry of /proc/PID/smaps as the kernel writes it, without the fields that do not matter.
func mapping(head string, anonymous, swap int) string {
	return fmt.Sprintf("%s\nSize:               1024 kB\nRss:                 512 kB\nAnonymous:      %d kB\nSwap:      %d kB\nTHPeligible:           0\nVmFlags: rd mr mw me \n", head, anonymous, swap)
}

func TestOnlyCleanPagesOfTheBinaryAreGivenBack(t *testing.T) {
	const binary = "/usr/local/bin/edgeref"
	smaps := mapping("00400000-0233d000 r-xp 00000000 fe:00 10102490                           "+binary, 0, 0) +
		mapping("0233d000-04370000 r--p 01f3d000 fe:00 10102490                           "+binary, 0, 0) +
		mapping("04370000-04371000 r--p 03f70000 fe:00 10102490                           "+binary, 4, 0) + // relocated
		mapping("04371000-04372000 r-xp 03f71000 fe:00 10102490                           "+binary, 0, 4) + // swapped out
		mapping("04372000-04628000 rw-p 03f72000 fe:00 10102490                           "+binary, 0, 0) +
		mapping("04628000-066ac000 rw-p 00000000 00:00 0 ", 324, 0) +
		mapping("7f0000000000-7f0000100000 r-xp 00000000 fe:00 7                           /usr/lib/libc.so.6", 0, 0) +
		mapping("7f0000100000-7f0000200000 r--s 00000000 fe:00 8                           "+binary, 0, 0) +
		mapping("7ffc1c000000-7ffc1c002000 r-xp 00000000 00:00 0                           [vdso]", 0, 0)
	got, err := cleanRanges(strings.NewReader(smaps), binary)
	if want := []addresses{{0x400000, 0x233d000}, {0x233d000, 0x4370000}}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
}

// A process goes on without its pages.
func TestUnmapBinary(t *testing.T) {
	for range 3 {
		if err := unmapBinary(); err != nil {
			t.Fatal(err)
		}
	}
}
