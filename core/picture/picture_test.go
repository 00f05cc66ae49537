package picture_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/edgeref/edgeref/core/picture"
)

// aWebP is a lossless WebP of one dot.
func aWebP(t testing.TB, more ...string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range more {
		data = append(data, chunk...)
	}
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	return data
}

func TestWebP(t *testing.T) {
	plain := aWebP(t)
	const exif = "EXIF\x04\x00\x00\x00abcd"
	for _, tt := range []struct {
		name string
		data []byte
		ok   bool
	}{
		{"whole", plain, true},
		{"with where it was taken", aWebP(t, exif), true},
		{"cut off", plain[:len(plain)-2], false},
		{"with something behind", append(bytes.Clone(plain), "<script>"...), false},
		{"with a zip in it", aWebP(t, "EXIF\x16\x00\x00\x00PK\x05\x06"+string(make([]byte, 18))), false},
		{"two pictures", aWebP(t, string(plain[12:])), false},
		{"no picture", []byte("RIFF\x0c\x00\x00\x00WEBPEXIF\x00\x00\x00\x00"), false},
		{"a chunk that is longer than the file", aWebP(t, "EXIF\xff\xff\xff\xffab"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := picture.Clean(tt.data)
			if !tt.ok {
				if _, refused := errors.AsType[*picture.RefusedError](err); !refused {
					t.Errorf("taken: %+v, %v", p, err)
				}
				return
			}
			if err != nil || p.Type != picture.WebP || p.Width != 1 || p.Height != 1 || !bytes.Equal(p.Data, plain) {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// What is kept of a file is a picture again, of the same size.
func FuzzClean(f *testing.F) {
	f.Add(aWebP(f))
	f.Add(aWebP(f, "EXIF\x02\x00\x00\x00ab"))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("\xff\xd8\xff\xd9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := picture.Clean(data)
		if err != nil {
			return
		}
		again, err := picture.Clean(p.Data)
		if err != nil || again.Width != p.Width || again.Height != p.Height || again.Type != p.Type {
			t.Errorf("%v: %+v", err, again)
		}
	})
}
