package kyc

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/edgeref/edgeref/core/picture"
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
	case picture.TypeOf(data) == picture.JPEG:
		c.Type, endings = picture.JPEG, map[string]string{".jpg": "", ".jpeg": ""}
		c.Data, err = inspectPicture(data)
	case picture.TypeOf(data) == picture.PNG:
		c.Type, endings = picture.PNG, map[string]string{".png": ""}
		c.Data, err = inspectPicture(data)
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
	if picture.HoldsZIP(data) {
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

func inspectPicture(data []byte) ([]byte, error) {
	p, err := picture.Clean(data)
	if refused, ok := errors.AsType[*picture.RefusedError](err); ok {
		return nil, refuse("%s", refused.Reason)
	}
	return p.Data, err
}

// Types lists what Inspect takes.
func Types() []string { return []string{"application/pdf", picture.JPEG, picture.PNG} }
