package kyc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path"
	"strings"
)

// Bounds of a picture, checked before it is decoded.
const (
	maxSide   = 10_000
	maxPixels = 24_000_000 // about 100 MB decoded
)

// RefusedError says why a file is not taken.
type RefusedError struct{ Reason string }

// Error implements error.
func (e *RefusedError) Error() string { return "the file is refused: " + e.Reason }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// Content is a file that was looked at.
type Content struct {
	Type string // media type
	Data []byte // what is kept: a PDF as it came; of a picture only its dots, encoded anew
}

// Inspect says what a file is by its content, and refuses everything but a whole PDF, JPEG or PNG: what calls itself
// another type, what has another file attached or hidden, what is damaged, what runs, and pictures too large to decode. name is
// the file's name, of which only the ending counts.
func Inspect(name, declared string, data []byte) (c Content, err error) {
	var endings map[string]string
	switch {
	case bytes.HasPrefix(data, []byte("%PDF-")):
		c, endings = Content{"application/pdf", data}, map[string]string{".pdf": ""}
		err = inspectPDF(data)
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		c.Type, endings = "image/jpeg", map[string]string{".jpg": "", ".jpeg": ""}
		c.Data, err = inspectPicture(data, wholeJPEG, jpeg.DecodeConfig, jpeg.Decode, func(w *bytes.Buffer, m image.Image) error {
			return jpeg.Encode(w, m, &jpeg.Options{Quality: 90})
		})
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		c.Type, endings = "image/png", map[string]string{".png": ""}
		c.Data, err = inspectPicture(data, wholePNG, png.DecodeConfig, png.Decode, func(w *bytes.Buffer, m image.Image) error { return png.Encode(w, m) })
	default:
		return Content{}, refuse("it is no PDF, JPEG or PNG")
	}
	if err != nil {
		return Content{}, err
	}
	if _, ok := endings[strings.ToLower(path.Ext(name))]; !ok {
		return Content{}, refuse("its name says that it is something else than %s", c.Type)
	}
	if declared, _, _ = strings.Cut(declared, ";"); declared != "" && declared != "application/octet-stream" && !strings.EqualFold(strings.TrimSpace(declared), c.Type) {
		return Content{}, refuse("it was sent as something else than %s", c.Type)
	}
	return c, nil
}

// active are the names in a PDF that do something when it is opened, or carry another file. What is hidden in compressed
// parts is not seen here; documents are therefore only given out as downloads, in a sandbox.
func active() []string {
	return []string{"/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/RichMedia", "/XFA", "/AA", "/OpenAction", "/SubmitForm", "/ImportData", "/GoToR", "/Encrypt"}
}

func inspectPDF(data []byte) error {
	end := bytes.LastIndex(data, []byte("%%EOF"))
	switch {
	case len(data) < 64 || data[5] < '1' || data[5] > '2' || data[6] != '.':
		return refuse("it is no whole PDF")
	case end < 0 || len(bytes.Trim(data[end+5:], "\r\n\t \x00")) > 0:
		return refuse("the PDF has no end, or something behind it")
	case !bytes.Contains(data, []byte("startxref")):
		return refuse("it is no whole PDF")
	}
	if hasZIP(data) {
		return refuse("it holds another file")
	}
	for _, name := range active() {
		for rest := data; ; {
			at := bytes.Index(rest, []byte(name))
			if at < 0 {
				break
			}
			rest = rest[at+len(name):]
			// /AA must not be found in /AAbc.
			if len(rest) == 0 || !isNameByte(rest[0]) {
				return refuse("the PDF has %s: it does something, or is locked; print it to a new PDF", name)
			}
		}
	}
	for _, word := range []string{"<script", "<html", "<?php", "<!doctype"} {
		if bytes.Contains(bytes.ToLower(data[:min(len(data), 1024)]), []byte(word)) {
			return refuse("it holds another file")
		}
	}
	return nil
}

func isNameByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-'
}

// hasZIP reports whether data ends as a ZIP archive does, with its comment: readers look for that from the end.
func hasZIP(data []byte) bool {
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

func inspectPicture(data []byte, whole func([]byte) bool, config func(io.Reader) (image.Config, error), decode func(io.Reader) (image.Image, error), encode func(*bytes.Buffer, image.Image) error) ([]byte, error) {
	if !whole(data) {
		return nil, refuse("the picture is damaged, or has something behind its end")
	}
	if hasZIP(data) || bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return nil, refuse("it holds another file")
	}
	size, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, refuse("the picture cannot be read")
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxSide || size.Height > maxSide || size.Width*size.Height > maxPixels {
		return nil, refuse("the picture has more than %d dots, or a side of more than %d", maxPixels, maxSide)
	}
	m, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, refuse("the picture cannot be read")
	}
	var out bytes.Buffer
	if err := encode(&out, m); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return out.Bytes(), nil
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
