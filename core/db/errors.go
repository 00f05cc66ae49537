package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
)

// Error numbers of MySQL and MariaDB.
const (
	mysqlRecordChanged   = 1020 // MariaDB's snapshot isolation
	mysqlDuplicateColumn = 1060
	mysqlDuplicateKey    = 1061 // its name, not its value
	mysqlNothingToDrop   = 1091
	mysqlDuplicate       = 1062
	mysqlLockWait        = 1205 // also NOWAIT in MariaDB
	mysqlDeadlock        = 1213
	mysqlHasChildren     = 1451
	mysqlNoParent        = 1452
	mysqlDupWithName     = 1586
	mysqlCheckFailed     = 3819
	mariaCheckFailed     = 4025
)

// aboutServer reports whether an error number of MySQL or MariaDB is about the server and not about the statement.
func aboutServer(number uint16) bool {
	switch number {
	case 1021, 1037, 1038, 1041, // disk, memory
		1040, 1203, 1226, // too many connections
		1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 3168, // shutting down, network
		1317, 1927, 1969, 3024, // interrupted, or took too long
		1290, 1792, 1836, // read-only
		1114, 1206, 1637: // table, lock table, transactions full
		return true
	}
	return false
}

// Extended result codes of SQLite, https://www.sqlite.org/rescode.html.
const (
	sqlitePrimaryMask = 0xff
	sqliteBusy        = 5
	sqliteLocked      = 6
	sqliteIOError     = 10
	sqliteFull        = 13
	sqliteCheck       = 275
	sqliteForeignKey  = 787
	sqlitePrimaryKey  = 1555
	sqliteUnique      = 2067
)

// IsDuplicate reports whether err says that a unique or primary key is taken.
func IsDuplicate(err error) bool {
	return is(err, []uint16{mysqlDuplicate, mysqlDupWithName}, []int{sqliteUnique, sqlitePrimaryKey})
}

// IsForeignKey reports whether err says that a referenced row is missing, or that a row is still referenced.
func IsForeignKey(err error) bool {
	return is(err, []uint16{mysqlHasChildren, mysqlNoParent}, []int{sqliteForeignKey})
}

// IsCheck reports whether err says that a CHECK constraint failed.
func IsCheck(err error) bool {
	return is(err, []uint16{mysqlCheckFailed, mariaCheckFailed}, []int{sqliteCheck})
}

// IsNoRows reports whether err is sql.ErrNoRows.
func IsNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

func is(err error, numbers []uint16, codes []int) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		for _, n := range numbers {
			if my.Number == n {
				return true
			}
		}
		return false
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		for _, c := range codes {
			if lite.Code() == c {
				return true
			}
		}
	}
	return false
}

// retryReason names why a transaction may be run again, or is "" if it may not.
func retryReason(err error) string {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch my.Number {
		case mysqlDeadlock, mysqlRecordChanged:
			return "deadlock"
		case mysqlLockWait:
			return "lock_timeout"
		}
		return ""
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & sqlitePrimaryMask {
		case sqliteBusy, sqliteLocked:
			return "busy"
		}
	}
	return ""
}

// rolledBack reports whether an error of Commit proves that nothing was committed: the server said so, or the
// transaction had ended before. Everything else, above all a lost connection, proves nothing.
func rolledBack(err error) bool {
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if _, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return true
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		code := lite.Code() & sqlitePrimaryMask
		return code == sqliteBusy || code == sqliteLocked
	}
	return false
}

// IsTemporary reports whether err says that the database cannot be reached or did not get to it, so that the same
// request may succeed later.
func IsTemporary(err error) bool {
	if retryReason(err) != "" {
		return true
	}
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return aboutServer(my.Number)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		code := lite.Code() & sqlitePrimaryMask
		return code == sqliteIOError || code == sqliteFull
	}
	var network *net.OpError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.As(err, &network)
}
