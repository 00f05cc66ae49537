package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

func TestUploadThroughTheAPI(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), modules)
	sh := s.shop()
	file := "program_id,type,txn_id,amount,currency,click_id\n" + sh.program.ID + ",sale,u1,10.00,INR," + sh.click.String() + "\n"
	send := func(path, text string, headers ...string) (u api.Upload) {
		t.Helper()
		s.do("POST", "/api/v1/conversions/upload"+path, text, append(headers, "Content-Type", "text/csv")...).want(http.StatusOK).into(&u)
		return u
	}
	if u := send("?dry_run=true", file); u.Valid != 1 || u.Booked != 0 || !u.DryRun {
		t.Errorf("%+v", u)
	}
	for range 2 { // the second time the stored answer
		if u := send("", file, "Idempotency-Key", "upload-1"); u.Booked != 1 {
			t.Errorf("%+v", u)
		}
	}
	if u := send("", file); u.Booked != 0 || u.Duplicates != 1 {
		t.Errorf("%+v", u)
	}
	if u := send("", file+"x,sale\n"); u.Invalid != 1 || u.Errors[0].Line != 3 || u.Errors[0].Code != "columns_mismatch" {
		t.Errorf("%+v", u)
	}
	s.do("POST", "/api/v1/conversions/upload", "a,b\n", "Content-Type", "text/csv").want(http.StatusUnprocessableEntity, "upload_invalid")
	large := strings.Repeat("x", 10<<20+1)
	s.do("POST", "/api/v1/conversions/upload", large, "Content-Type", "text/csv").want(http.StatusRequestEntityTooLarge, "body_too_large")
	// Larger than what other operations take, and fine.
	if u := send("?dry_run=true", file+strings.Repeat("\n", 2<<20)); u.Valid != 1 {
		t.Errorf("%+v", u)
	}
}
