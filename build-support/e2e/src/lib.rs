//! The whole platform from outside. There is nothing here but the tests, `tests/it`: its world starts
//! the processes, its stories do what a person, a client or an attacker does and look at what comes back.
