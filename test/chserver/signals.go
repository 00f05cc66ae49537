//go:build linux && amd64

package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct on amd64: handler, flags, restorer, mask.
type sigaction [4]uint64

const lastSignal = 64

// signalHandlers are the handlers of the process, by signal number. The engine replaces those that the Go runtime needs
// (a nil dereference would hang instead of panicking), so they are saved before it starts and restored after.
type signalHandlers [lastSignal + 1]sigaction

func saveSignalHandlers() *signalHandlers {
	h := new(signalHandlers)
	for sig := 1; sig <= lastSignal; sig++ {
		rtSigaction(sig, nil, &h[sig])
	}
	return h
}

func (h *signalHandlers) restore() {
	for sig := 1; sig <= lastSignal; sig++ {
		switch unix.Signal(sig) {
		case unix.SIGKILL, unix.SIGSTOP, 32, 33: // cannot be set; 32 and 33 belong to the C library
		default:
			rtSigaction(sig, &h[sig], nil)
		}
	}
}

func rtSigaction(sig int, set, old *sigaction) {
	const maskSize = 8 // bytes
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), maskSize, 0, 0)
}
