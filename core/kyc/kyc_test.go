package kyc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/test/versitygw"
)

func picture(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			m.Set(x, y, color.RGBA{uint8(x), uint8(y), 128, 255})
		}
	}
	return m
}

func aPNG(w, h int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, picture(w, h))
	return b.Bytes()
}

func aJPEG() []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, picture(64, 48), nil)
	return b.Bytes()
}

func aPDF(inside string) []byte {
	return []byte("%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + inside + ">>\nendobj\nxref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n")
}

// chunk is one of a PNG, with its checksum.
func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// huge says in its header that it is larger than any memory.
func huge() []byte {
	head := []byte("\x89PNG\r\n\x1a\n")
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 1<<30), 1<<30)
	return append(append(append(head, chunk("IHDR", append(size, 8, 6, 0, 0, 0))...), chunk("IDAT", []byte{1})...), chunk("IEND", nil)...)
}

// comment puts a segment with text into a JPEG, behind its start.
func comment(text string) []byte {
	b := aJPEG()
	seg := append([]byte{0xff, 0xfe}, byte((len(text)+2)>>8), byte(len(text)+2))
	return append(append(append(bytes.Clone(b[:2]), seg...), text...), b[2:]...)
}

const zip = "PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// Attacks, and what is taken.
func TestInspect(t *testing.T) {
	for _, tt := range []struct {
		name, file, declared string
		data                 []byte
		want                 string // type; "": refused
	}{
		{"pdf", "pan.pdf", "application/pdf", aPDF(""), "application/pdf"},
		{"pdf in capitals", "PAN.PDF", "", aPDF(""), "application/pdf"},
		{"jpeg", "pan.jpg", "image/jpeg", aJPEG(), "image/jpeg"},
		{"jpeg by its other ending", "pan.jpeg", "application/octet-stream", aJPEG(), "image/jpeg"},
		{"png", "pan.png", "image/png; x=y", aPNG(10, 10), "image/png"},
		{"png with a text is cleaned", "pan.png", "", join(aPNG(10, 10)[:33], chunk("tEXt", []byte("k\x00<script>")), aPNG(10, 10)[33:]), "image/png"},
		{"jpeg with a comment is cleaned", "pan.jpg", "", comment("<?php system($_GET[0]);"), "image/jpeg"},
		{"empty", "a.pdf", "", nil, ""},
		{"html", "a.pdf", "", []byte("<html><script>alert(1)</script>"), ""},
		{"svg", "a.png", "", []byte("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), ""},
		{"program", "a.jpg", "", []byte("MZ\x90\x00 and so on"), ""},
		{"zip", "a.pdf", "", []byte("PK\x03\x04" + zip), ""},
		{"gif", "a.png", "", []byte("GIF89a......."), ""},
		{"png that is called pdf", "pan.pdf", "", aPNG(10, 10), ""},
		{"pdf that is called png", "pan.png", "", aPDF(""), ""},
		{"two endings", "pan.pdf.exe", "", aPDF(""), ""},
		{"no ending", "pan", "", aPDF(""), ""},
		{"png that is sent as jpeg", "pan.png", "image/jpeg", aPNG(10, 10), ""},
		{"pdf that is sent as html", "pan.pdf", "text/html", aPDF(""), ""},
		{"pdf behind something", "pan.pdf", "", append([]byte("MZ"), aPDF("")...), ""},
		{"pdf with something behind", "pan.pdf", "", append(aPDF(""), "<html>"...), ""},
		{"pdf with a zip behind", "pan.pdf", "", append(aPDF(""), zip+"%%EOF"...), ""},
		{"pdf with html at its start", "pan.pdf", "", aPDF("<!DOCTYPE html><SCRIPT>x</SCRIPT>"), ""},
		{"pdf with a script", "pan.pdf", "", aPDF("/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"), ""},
		{"pdf that starts programs", "pan.pdf", "", aPDF("/AA << /O << /S /Launch >> >>"), ""},
		{"pdf with a file in it", "pan.pdf", "", aPDF("/Names << /EmbeddedFile 2 0 R >>"), ""},
		{"pdf that is locked", "pan.pdf", "", aPDF("/Encrypt 3 0 R"), ""},
		{"pdf whose names only look alike", "pan.pdf", "", aPDF("/AAPL:Keywords 2 0 R /JSON 1"), "application/pdf"},
		{"pdf that is cut off", "pan.pdf", "", aPDF("")[:70], ""},
		{"jpeg with a zip behind", "pan.jpg", "", append(aJPEG(), zip...), ""},
		{"jpeg with a picture behind", "pan.jpg", "", append(aJPEG(), aJPEG()...), ""},
		{"jpeg that is a pdf too", "pan.jpg", "", comment("%PDF-1.7\n"), ""},
		{"jpeg that is a zip too", "pan.jpg", "", comment(zip), ""},
		{"jpeg that is cut off", "pan.jpg", "", aJPEG()[:300], ""},
		{"jpeg without dots", "pan.jpg", "", []byte("\xff\xd8\xff\xd9"), ""},
		{"png with something behind", "pan.png", "", append(aPNG(10, 10), "x"...), ""},
		{"png with a wrong checksum", "pan.png", "", bytes.Replace(aPNG(10, 10), []byte("IDAT"), []byte("IDAU"), 1), ""},
		{"png that is cut off", "pan.png", "", aPNG(10, 10)[:60], ""},
		{"png as large as a house", "pan.png", "", huge(), ""},
		{"png that is a pdf too", "pan.png", "", join(aPNG(10, 10)[:33], chunk("tEXt", []byte("k\x00%PDF-1.7")), aPNG(10, 10)[33:]), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := kyc.Inspect(tt.file, tt.declared, tt.data)
			var refused *kyc.RefusedError
			if tt.want == "" {
				if !errors.As(err, &refused) {
					t.Errorf("taken as %q, %v", got.Type, err)
				}
				return
			}
			if err != nil || got.Type != tt.want {
				t.Errorf("%q, %v; want %q", got.Type, err, tt.want)
			}
			for _, word := range []string{"<script", "<?php"} {
				if bytes.Contains(got.Data, []byte(word)) {
					t.Errorf("what is kept still has %s", word)
				}
			}
		})
	}
}

func FuzzInspect(f *testing.F) {
	for _, data := range [][]byte{aPDF(""), aJPEG(), aPNG(4, 4), huge(), comment("x"), aPDF("/JS 1"), []byte("\xff\xd8\xff\xda\x00\x02\xff\x00\xff\xd9")} {
		f.Add("a.pdf", data)
		f.Add("a.jpg", data)
		f.Add("a.png", data)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		c, err := kyc.Inspect(name, "", data)
		if err != nil {
			return
		}
		// What was kept is taken again, as the same.
		if again, err := kyc.Inspect(name, c.Type, c.Data); err != nil || again.Type != c.Type {
			t.Fatalf("%v", err)
		}
	})
}

type fixture struct {
	*kyc.Service
	db     *db.DB
	bucket *blob.Bucket
	now    time.Time
	owner  int64
}

func open(t *testing.T, d *db.DB, bucket *blob.Bucket) *fixture {
	t.Helper()
	f := &fixture{db: d, bucket: bucket, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return f.now }
	ids := newid.New(clock)
	ring, err := secret.NewRing([]string{secret.NewKey("1")})
	if err != nil {
		t.Fatal(err)
	}
	f.Service = kyc.New(kyc.Options{
		DB: d, IDs: ids, Bucket: bucket, Ring: ring, Audit: audit.New(audit.Options{DB: d, IDs: ids}), Now: clock,
		Required: map[string][]string{"IN": {"pan_card"}, "*": {"identity"}}, MaxBytes: 100_000,
	})
	f.owner = ids.New()
	err = d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO affiliates (id, name, email, status, created_at, updated_at) VALUES (?, 'a', 'a@example.com', 'active', 0, 0)", f.owner)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func folder(t *testing.T) *blob.Bucket {
	t.Helper()
	b, err := kyc.OpenBucket(t.Context(), "", filepath.Join(t.TempDir(), "kyc"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// stored are the files in the bucket.
func (f *fixture) stored(t *testing.T) (keys []string) {
	t.Helper()
	list := f.bucket.List(nil)
	for {
		o, err := list.Next(t.Context())
		if err != nil {
			return keys
		}
		keys = append(keys, o.Key)
	}
}

func (f *fixture) missing(t *testing.T, want string) {
	t.Helper()
	got, err := f.Missing(t.Context(), f.db, f.owner, "IN")
	if err != nil || strings.Join(got, " ") != want {
		t.Errorf("missing %v, %v; want %q", got, err, want)
	}
}

// life is the way of a document from its announcement to its review, on a bucket.
func life(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.missing(t, "identity pan_card")
	d, err := f.Announce(ctx, f.owner, "IN", "pan_card", "pan.png", nil)
	if err != nil || d.State != kyc.Awaiting {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, _, err := f.Read(ctx, d.ID, 0); !errors.Is(err, kyc.ErrState) {
		t.Errorf("read before there is a file: %v", err)
	}
	var refused *kyc.RefusedError
	if _, err := f.Upload(ctx, f.owner, d.ID, "", aPDF("")); !errors.As(err, &refused) {
		t.Errorf("a lying ending: %v", err)
	}
	if _, err := f.Upload(ctx, f.owner, d.ID, "", make([]byte, 100_001)); !errors.Is(err, kyc.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := f.Upload(ctx, f.owner+1, d.ID, "", aPNG(8, 8)); !errors.Is(err, kyc.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if keys := f.stored(t); len(keys) != 0 {
		t.Errorf("stored %v", keys)
	}
	// A second file takes the place of the first.
	for _, size := range []int{8, 9} {
		if d, err = f.Upload(ctx, f.owner, d.ID, "image/png", aPNG(size, size)); err != nil || d.State != kyc.Submitted || len(d.SHA256) != 64 {
			t.Fatalf("%+v, %v", d, err)
		}
	}
	keys := f.stored(t)
	if len(keys) != 1 {
		t.Fatalf("stored %v", keys)
	}
	raw, err := f.bucket.ReadAll(ctx, keys[0])
	if err != nil || bytes.Contains(raw, []byte("PNG")) || bytes.Contains(raw, []byte("IHDR")) {
		t.Errorf("what is stored can be read: %.60q, %v", raw, err)
	}
	_, data, err := f.Read(ctx, d.ID, f.owner)
	if m, decodeErr := png.Decode(bytes.NewReader(data)); err != nil || decodeErr != nil || m.Bounds().Dx() != 9 {
		t.Errorf("read %v, %v", err, decodeErr)
	}
	if _, _, err := f.Read(ctx, d.ID, f.owner+1); !errors.Is(err, kyc.ErrNotFound) {
		t.Errorf("read by somebody else: %v", err)
	}
	f.missing(t, "identity pan_card")
	own := access.With(ctx, access.Principal{PersonID: 5, AffiliateID: f.owner})
	if _, err := f.Review(own, d.ID, true, "", nil); !errors.Is(err, kyc.ErrState) {
		t.Errorf("reviewed by its owner: %v", err)
	}
	finance := access.With(ctx, access.Principal{PersonID: 6})
	var in *kyc.InvalidError
	if _, err := f.Review(finance, d.ID, false, " ", nil); !errors.As(err, &in) {
		t.Errorf("rejected without a reason: %v", err)
	}
	if d, err = f.Review(finance, d.ID, true, "", nil); err != nil || d.State != kyc.Accepted || d.ReviewedBy != 6 {
		t.Errorf("%+v, %v", d, err)
	}
	f.missing(t, "identity")
	if _, err := f.Upload(ctx, f.owner, d.ID, "", aPNG(8, 8)); !errors.Is(err, kyc.ErrState) {
		t.Errorf("exchanged after the review: %v", err)
	}
	if d, err = f.Review(finance, d.ID, false, "it is not yours", nil); err != nil || d.State != kyc.Rejected {
		t.Errorf("%+v, %v", d, err)
	}
	f.missing(t, "identity pan_card")
}

func TestDocuments(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { life(t, open(t, d, folder(t))) })
}

func TestDocumentsInS3(t *testing.T) {
	endpoint := versitygw.Start(t, "documents")
	t.Setenv("AWS_ACCESS_KEY_ID", versitygw.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", versitygw.SecretKey)
	b, err := kyc.OpenBucket(t.Context(), "s3://documents?region=us-east-1&use_path_style=true&disable_https=true&endpoint="+endpoint, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	life(t, open(t, dbtest.SQLite(t), b))
}

// A link works for a while, in the name of who asked for it, and every look is in the audit log.
func TestLinks(t *testing.T) {
	f := open(t, dbtest.SQLite(t), folder(t))
	d, err := f.Announce(t.Context(), f.owner, "IN", "pan_card", "pan.jpg", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Upload(t.Context(), f.owner, d.ID, "", aJPEG()); err != nil {
		t.Fatal(err)
	}
	token, until, err := f.Link(access.With(t.Context(), access.Principal{PersonID: 6, Name: "Ravi"}), d.ID, nil)
	if err != nil || until.Sub(f.now) != 2*time.Minute {
		t.Fatalf("%s, %v", until, err)
	}
	got, data, err := f.Follow(context.Background(), token, "192.0.2.1")
	if err != nil || got.ID != d.ID || !bytes.HasPrefix(data, []byte("\xff\xd8")) {
		t.Errorf("%+v, %v", got, err)
	}
	changed := []byte(token)
	changed[len(changed)/2] ^= 1
	for _, bad := range []string{"", "x", string(changed), token + "A", "../../etc/passwd"} {
		if _, _, err := f.Follow(t.Context(), bad, ""); !errors.Is(err, kyc.ErrGone) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	f.now = until
	if _, _, err := f.Follow(t.Context(), token, ""); !errors.Is(err, kyc.ErrGone) {
		t.Errorf("too late: %v", err)
	}
	var reads, links int
	err = f.db.QueryRow(t.Context(), `SELECT COALESCE(SUM(CASE WHEN action = 'kyc_document.read' AND actor_id = 6 AND address = '192.0.2.1' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN action = 'kyc_document.link' THEN 1 ELSE 0 END), 0) FROM audit_log`).Scan(&reads, &links)
	if err != nil || reads != 1 || links != 1 {
		t.Errorf("%d looks and %d links in the audit log, %v", reads, links, err)
	}
}

func TestAnnounceRefuses(t *testing.T) {
	f := open(t, dbtest.SQLite(t), folder(t))
	for field, args := range map[string][3]string{
		"country": {"India", "pan_card", "a.pdf"}, "kind": {"IN", "PAN card", "a.pdf"}, "file_name": {"IN", "pan_card", "../a.pdf"},
	} {
		var in *kyc.InvalidError
		if _, err := f.Announce(t.Context(), f.owner, args[0], args[1], args[2], nil); !errors.As(err, &in) || in.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for range kyc.MaxDocuments {
		if _, err := f.Announce(t.Context(), f.owner, "IN", "pan_card", "a.pdf", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Announce(t.Context(), f.owner, "IN", "pan_card", "a.pdf", nil); !errors.Is(err, kyc.ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if _, err := kyc.OpenBucket(t.Context(), "gs://x", ""); err == nil {
		t.Error("another kind of bucket was opened")
	}
}
