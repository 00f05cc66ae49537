package webhook

import (
	"strings"
	"testing"
	"time"
)

// The example of the Standard Webhooks documentation.
func TestSignatureOfTheStandard(t *testing.T) {
	got, err := sign([]string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("%q (%v), want %q", got, err, want)
	}
}

func TestSecrets(t *testing.T) {
	a, b := newSecret(), newSecret()
	if a == b || !strings.HasPrefix(a, "whsec_") || len(a) != 50 {
		t.Errorf("secrets %q and %q", a, b)
	}
	both, err := sign([]string{a, b}, "id", time.Unix(1, 0), nil)
	if err != nil || len(strings.Fields(both)) != 2 {
		t.Errorf("%q, %v", both, err)
	}
	if _, err := sign([]string{"whsec_%%"}, "id", time.Unix(1, 0), nil); err == nil {
		t.Error("signed with what is no secret")
	}
}
