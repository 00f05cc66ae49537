package demo

type person struct{ slug, name string }

type visitor struct{ agent, language, country string }

// Package variables that are never written: the cast of the demo.
var (
	people = [...]person{
		{"asha", "Asha Verma"}, {"rohan", "Rohan Mehta"}, {"priya", "Priya Nair"}, {"imran", "Imran Sheikh"},
		{"divya", "Divya Reddy"}, {"karan", "Karan Malhotra"}, {"sneha", "Sneha Kulkarni"}, {"tenzin", "Tenzin Dorjee"},
	}
	trainings  = [...]string{"sales-basics", "video-marketing", "personal-finance"}
	placements = [...]string{"youtube", "instagram", "telegram", "blog", "whatsapp"}
	prices     = [...]string{"1499.00", "2999.00", "4999.50"}
	referrers  = [...]string{
		"", "https://www.youtube.com/watch", "https://www.google.com/", "https://l.instagram.com/", "https://t.me/s/trainings",
		"https://asha.example.org/why-i-learn-sales/",
	}
	visitors = [...]visitor{
		{"Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36", "hi-IN,hi;q=0.9,en;q=0.8", "IN"},
		{"Mozilla/5.0 (Linux; Android 13; Redmi Note 12) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36", "en-IN,en;q=0.9", "IN"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1", "en-IN,en;q=0.9", "IN"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36", "en-US,en;q=0.9", "US"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0", "mr-IN,mr;q=0.8,en;q=0.5", "IN"},
		{"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1", "en-GB,en;q=0.9", "AE"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "ne-NP,ne;q=0.9", "NP"},
		{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", "US"},
	}
)
