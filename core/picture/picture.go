// Package picture takes pictures by their content: whole PNG, JPEG and WebP, of which nothing is kept but the dots.
package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// Bounds of a picture, checked before it is decoded.
const (
	MaxSide   = 10_000
	MaxPixels = 24_000_000 // about 100 MB decoded
)

// Media types of pictures.
const (
	PNG  = "image/png"
	JPEG = "image/jpeg"
	WebP = "image/webp"
)

// RefusedError says why a picture is not taken.
type RefusedError struct{ Reason string }

// Error implements error.
func (e *RefusedError) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// Picture is one that was looked at.
type Picture struct {
	Type          string // media type
	Width, Height int    // dots
	// Data is what may be kept and shown: PNG and JPEG encoded anew, WebP without the chunks that are not the picture.
	Data []byte
}

// format is how one kind of picture is known and taken.
type format struct {
	media  string
	whole  func([]byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	encode func([]byte, image.Image) ([]byte, error) // of the file and what is in it
}

// TypeOf is the media type that the first bytes promise, or empty: they are of no picture that Clean takes.
func TypeOf(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return JPEG
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return PNG
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return WebP
	}
	return ""
}

func formatOf(media string) (format, bool) {
	switch media {
	case JPEG:
		return format{JPEG, wholeJPEG, jpeg.DecodeConfig, jpeg.Decode, func(_ []byte, m image.Image) ([]byte, error) {
			var b bytes.Buffer
			err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90})
			return b.Bytes(), err
		}}, true
	case PNG:
		return format{PNG, wholePNG, png.DecodeConfig, png.Decode, func(_ []byte, m image.Image) ([]byte, error) {
			var b bytes.Buffer
			err := png.Encode(&b, m)
			return b.Bytes(), err
		}}, true
	case WebP:
		return format{WebP, wholeWebP, webp.DecodeConfig, webp.Decode, func(data []byte, _ image.Image) ([]byte, error) { return stripWebP(data), nil }}, true
	}
	return format{}, false
}

// Clean decodes a picture and gives what of it may be kept. It refuses, with a *RefusedError, what is no picture, is damaged,
// has something behind its end, is another file at the same time, or is too large to decode. Decoding takes up to 100 MB: the
// caller bounds how many run at once.
func Clean(data []byte) (p Picture, err error) {
	f, ok := formatOf(TypeOf(data))
	if !ok {
		return p, refuse("it is no PNG, JPEG or WebP")
	}
	if !f.whole(data) {
		return p, refuse("the picture is damaged, or has something behind its end")
	}
	if HoldsZIP(data) || bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return p, refuse("it holds another file")
	}
	size, err := f.config(bytes.NewReader(data))
	if err != nil {
		return p, refuse("the picture cannot be read")
	}
	if size.Width < 1 || size.Height < 1 || size.Width > MaxSide || size.Height > MaxSide || size.Width*size.Height > MaxPixels {
		return p, refuse("the picture has more than %d dots, or a side of more than %d", MaxPixels, MaxSide)
	}
	m, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return p, refuse("the picture cannot be read")
	}
	kept, err := f.encode(data, m)
	if err != nil {
		return p, fmt.Errorf("encode picture: %w", err)
	}
	return Picture{Type: f.media, Width: size.Width, Height: size.Height, Data: kept}, nil
}

// HoldsZIP reports whether data ends as a ZIP archive does, with its comment: readers look for that from the end.
func HoldsZIP(data []byte) bool {
	tail := data[max(0, len(data)-(1<<16)-22):]
	for {
		at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
		if at < 0 {
			return false
		}
		if at+22 <= len(tail) && int(binary.LittleEndian.Uint16(tail[at+20:])) <= len(tail)-at-22 {
			return true
		}
		tail = tail[:at]
	}
}

// wholePNG walks the chunks: each has its checksum, and IEND is the last thing in the file.
func wholePNG(data []byte) bool {
	data = data[8:]
	for len(data) >= 12 {
		n := binary.BigEndian.Uint32(data)
		if uint64(n)+12 > uint64(len(data)) {
			return false
		}
		chunk := data[4 : 8+n]
		if crc32.ChecksumIEEE(chunk) != binary.BigEndian.Uint32(data[8+n:]) {
			return false
		}
		data = data[12+n:]
		if string(chunk[:4]) == "IEND" {
			return n == 0 && len(data) == 0
		}
	}
	return false
}

// wholeJPEG walks the segments up to the scans, and then to the end marker, which is the last thing in the file.
func wholeJPEG(data []byte) bool {
	at := 2
	for at+4 <= len(data) && data[at] == 0xff {
		marker := data[at+1]
		switch {
		case marker == 0xff: // fill
			at++
			continue
		case marker == 0xd9:
			return at+2 == len(data)
		case marker == 0xd8 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd7:
			return false
		}
		at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if marker != 0xda {
			continue
		}
		// Behind a scan's header is its data, in which a marker is an 0xff that is not followed by 0 or a restart.
		for at+1 < len(data) && (data[at] != 0xff || data[at+1] == 0 || data[at+1] >= 0xd0 && data[at+1] <= 0xd7) {
			at++
		}
	}
	return at+2 == len(data) && data[at] == 0xff && data[at+1] == 0xd9
}
