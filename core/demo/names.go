package demo

import (
	"math/rand/v2"
	"strings"
)

// Names are put together at random from these; who has one of them is nobody in particular.

func firstNames() []string {
	return strings.Fields(`Aarav Aditi Aisha Ajay Akash Akanksha Alok Aman Amit Amrita Ananya Anil Anita Anjali Ankit Anu Arjun Arpita Arun Ashok
		Bhavna Chetan Chitra Deepa Deepak Devika Dhruv Dinesh Divya Ehsan Esha Fatima Gaurav Gautam Geeta Girish Gopal Harini Harpreet Hemant
		Imran Indira Irfan Ishaan Jagdish Jaya Jyoti Kabir Kalyani Kamal Karan Kavita Kiran Komal Krishna Kunal Lakshmi Latha Madhav Mahesh
		Manish Manju Maya Meena Mehul Mohan Mukesh Nadia Nagesh Namrata Nandini Naveen Neha Nilesh Nisha Nitin Omkar Pallavi Pankaj Parveen
		Pavan Pradeep Prakash Pranav Preeti Priya Rahul Rajesh Rakesh Ramesh Rashmi Ravi Rekha Riya Rohan Rohini Rukmini Sachin Sameer
		Sandeep Sangeeta Sanjay Sarita Sathish Seema Shalini Shankar Shilpa Shreya Siddharth Smita Sneha Sonal Srinivas Sudha Suman Sunil Suresh
		Swati Tanvi Tara Tarun Uday Uma Usha Vaishali Varun Vasudha Veena Venkat Vidya Vijay Vikas Vinay Vishal Yamini Yash Yusuf Zara Zubin`)
}

func lastNames() []string {
	return strings.Fields(`Acharya Agarwal Ahmed Anand Balan Banerjee Bhat Bhatt Bose Chacko Chandra Chatterjee Chauhan Chopra Das Dave Desai
		Dewan Dhillon Dutta Fernandes Gandhi Ghosh Gill Goswami Gowda Gupta Hegde Hussain Iyer Jadhav Jain Jha Joshi Kamath Kapoor Kaur Khan Khanna
		Kulkarni Kumar Lal Mahajan Malhotra Mehta Menon Mishra Mistry Mukherjee Naidu Nair Nambiar Pandey Parekh Patel Patil Pillai Prasad Purohit
		Qureshi Rajan Ramachandran Rana Rangan Rathore Reddy Roy Sahu Saxena Sen Shah Sharma Shetty Shukla Siddiqui Singh Sinha Solanki Soni
		Subramanian Tandon Thakur Thomas Tiwari Tripathi Varghese Varma Vyas Wagle Yadav`)
}

func foreignNames() []string {
	return strings.Split("Maria Alvarez,John Whitfield,Chloe Martin,Ahmed Al Farsi,Grace Okafor,Daniel Lindqvist,Hannah Weber,Mei Tanaka,Sagar Thapa,Bina Shrestha,Liam Doyle,Noura Haddad", ",")
}

// place is where somebody lives: a state of India, or a country.
type place struct {
	country, region, town, pin string
	weight                     int
}

func places() []place {
	return []place{
		{"IN", "KA", "Bengaluru", "560034", 14}, {"IN", "MH", "Pune", "411038", 16}, {"IN", "DL", "New Delhi", "110024", 10},
		{"IN", "UP", "Lucknow", "226010", 12}, {"IN", "TN", "Coimbatore", "641018", 8}, {"IN", "WB", "Howrah", "711103", 6},
		{"IN", "GJ", "Surat", "395007", 8}, {"IN", "KL", "Kochi", "682020", 5}, {"IN", "RJ", "Jaipur", "302017", 6}, {"IN", "TS", "Hyderabad", "500032", 7},
		{"IN", "BR", "Patna", "800013", 5}, {"IN", "MP", "Indore", "452010", 5}, {"IN", "AS", "Guwahati", "781005", 2}, {"IN", "", "", "", 8},
		{"AE", "", "Dubai", "", 2}, {"US", "", "Austin", "78704", 2}, {"GB", "", "Leeds", "LS6", 1}, {"NP", "", "Kathmandu", "44600", 1},
	}
}

// one picks an element.
func one[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// chance is true with a probability.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

func pickPlace(r *rand.Rand) place {
	all := places()
	total := 0
	for _, p := range all {
		total += p.weight
	}
	n := r.IntN(total)
	for _, p := range all {
		if n -= p.weight; n < 0 {
			return p
		}
	}
	return all[0]
}

// slugOf is a name as it stands in addresses.
func slugOf(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		}
		return '-'
	}, name)
}
