package clickhouse

import "time"

// ClusterDDL is every statement that Migrate runs for a cluster.
func ClusterDDL(cluster string, sharded bool) (all []string, err error) {
	d := ddl{cluster: cluster, database: "edgeref", sharded: sharded}
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		statements, err := d.render(e.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, statements...)
	}
	if sharded {
		all = append(all, d.distributed()...)
	}
	return all, nil
}

// CompareNow makes the next report compare clicks and roll-up.
func (s *Store) CompareNow() {
	s.compared.mu.Lock()
	defer s.compared.mu.Unlock()
	s.compared.until = time.Time{}
}
