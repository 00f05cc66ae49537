package agent

import "strings"

// device is the device class. lower is the User-Agent in lower case, os the operating system's family.
// The order matters: a television with Android is no tablet, and a tablet's User-Agent often says "mobile" too.
func device(lower, os string) string {
	has := func(tokens ...string) bool {
		for _, t := range tokens {
			if strings.Contains(lower, t) {
				return true
			}
		}
		return false
	}
	switch {
	case has("smart-tv", "smarttv", "smart tv", "appletv", "apple tv", "googletv", "google tv", "android tv", "hbbtv", "netcast",
		"web0s", "webos.tv", "bravia", "roku", "crkey", "aftb", "aftm", "afts", "aftt", "viera", "playstation", "xbox", "nintendo wii"):
		return TV
	// "Tablet PC" is a component of Windows that desktops announce.
	case has("ipad", "playbook", "kindle", "silk-accelerated"), has("tablet") && !has("tablet pc"):
		return Tablet
	case has("iphone", "ipod", "windows phone", "iemobile", "opera mini", "opera mobi", "blackberry", "bb10", "symbian", "series60",
		"kaios", "midp", "nokia", "j2me", "wap browser", "docomo", "palm", "webos/", "android; mobile"):
		return Mobile
	case has("android") || os == "Android":
		if has("mobile") {
			return Mobile
		}
		return Tablet
	case has("mobile"):
		return Mobile
	case has("windows nt", "macintosh", "x11", "cros ", "win98", "win95"):
		return Desktop
	}
	switch os {
	case "Windows", "Mac OS X", "Mac OS", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian", "Red Hat", "SUSE", "Gentoo",
		"CentOS", "Mandriva", "Linux Mint", "Arch Linux", "FreeBSD", "OpenBSD", "NetBSD", "Solaris":
		return Desktop
	case "iOS", "Windows Phone", "BlackBerry OS", "Symbian OS", "Tizen", "KaiOS", "Firefox OS":
		return Mobile
	case "tvOS", "Chromecast":
		return TV
	}
	return Other
}
