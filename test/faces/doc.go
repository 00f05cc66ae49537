// Package faces tests the pages as people see them: the real binary with its demo business, in a real browser.
package faces
