package picture

import "encoding/binary"

// eachChunk calls fn with the chunks of a WebP, header and padding with them, and reports whether they are the whole file.
func eachChunk(data []byte, fn func(kind string, chunk []byte)) bool {
	if len(data) < 20 || uint64(binary.LittleEndian.Uint32(data[4:]))+8 != uint64(len(data)) {
		return false
	}
	for rest := data[12:]; len(rest) > 0; {
		if len(rest) < 8 {
			return false
		}
		n := uint64(binary.LittleEndian.Uint32(rest[4:]))
		n += 8 + n%2
		if n > uint64(len(rest)) {
			return false
		}
		fn(string(rest[:4]), rest[:n])
		rest = rest[n:]
	}
	return true
}

func wholeWebP(data []byte) bool {
	pictures := 0
	whole := eachChunk(data, func(kind string, _ []byte) {
		if kind == "VP8 " || kind == "VP8L" {
			pictures++
		}
	})
	return whole && pictures == 1 // an animation has none outside of its frames
}

// stripWebP leaves the chunks out that are not the picture: Exif, XMP, colour profiles and unknown ones. data is whole.
func stripWebP(data []byte) []byte {
	out := append(make([]byte, 0, len(data)), data[:12]...)
	eachChunk(data, func(kind string, chunk []byte) {
		switch kind {
		case "VP8X":
			at := len(out)
			out = append(out, chunk...)
			out[at+8] &= 1 << 4 // of the flags only that there is an alpha channel
		case "VP8 ", "VP8L", "ALPH":
			out = append(out, chunk...)
		}
	})
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}
