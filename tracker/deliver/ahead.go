package deliver

// helper gets the next batch ready while another one is with the sink: reading, decoding and encoding take about as
// long as the sink does. What is settled, and when, stays as it is: one batch at a time has boundaries on the disk, and one
// at a time is sent. There are at most two batches in memory.
type helper struct {
	requests chan struct{} // nil: there is nothing to do ahead
	done     chan struct{}
}

// startHelper starts the goroutine that ends with stop.
func (d *Deliverer) startHelper() *helper {
	if d.getReady == nil {
		return &helper{}
	}
	h := &helper{requests: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(h.done)
		d.opt.GiveWay()
		for range h.requests {
			if b := d.source.Ahead(d.opt.MaxRecords, d.opt.MaxBytes); b != nil {
				d.getReady(b)
			}
			h.done <- struct{}{}
		}
	}()
	return h
}

// begin starts on the batch after the pending one; wait must follow.
func (h *helper) begin() {
	if h.requests != nil {
		h.requests <- struct{}{}
	}
}

// wait returns when the batch is ready, or there is none.
func (h *helper) wait() {
	if h.requests != nil {
		<-h.done
	}
}

func (h *helper) stop() {
	if h.requests != nil {
		close(h.requests)
		<-h.done
	}
}
