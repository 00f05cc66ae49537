package problem

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestWrite(t *testing.T) {
	var ctx fasthttp.RequestCtx
	ctx.SetBodyString("half an answer")
	Problem{Status: 503, Code: "not_recorded", Detail: "Send it again.", RetryAfter: 5}.WriteFor(&ctx)
	var got map[string]any
	if err := json.Unmarshal(ctx.Response.Body(), &got); err != nil {
		t.Fatal(err)
	}
	if got["status"] != 503.0 || got["code"] != "not_recorded" || got["title"] != "Service Unavailable" || got["detail"] != "Send it again." {
		t.Errorf("%v", got)
	}
	h := &ctx.Response.Header
	if h.StatusCode() != 503 || string(h.ContentType()) != "application/problem+json" || string(h.Peek("Retry-After")) != "5" || string(h.Peek("Cache-Control")) != "no-store" {
		t.Errorf("header: %s", h)
	}
}

func TestBrowsersGetAPage(t *testing.T) {
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.Set("Accept", "text/html,application/xhtml+xml")
	Problem{Status: 404, Code: "link_not_found", Detail: "No <such> link."}.WriteFor(&ctx)
	body := string(ctx.Response.Body())
	if !strings.HasPrefix(string(ctx.Response.Header.ContentType()), "text/html") || !strings.Contains(body, "No &lt;such&gt; link.") {
		t.Errorf("%s\n%s", &ctx.Response.Header, body)
	}
}
