package clickhouse

import "time"

// ClusterDDL is every statement of the migrations, as for a cluster.
func ClusterDDL(cluster string) (all []string, err error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		statements, err := ddl{cluster: cluster}.render(e.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, statements...)
	}
	return all, nil
}

// CompareNow makes the next report compare clicks and roll-up.
func (s *Store) CompareNow() {
	s.compared.mu.Lock()
	defer s.compared.mu.Unlock()
	s.compared.until = time.Time{}
}
