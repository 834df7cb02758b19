//! A phone that boots, provisions, registers, calls and presses keys; alone, as a fleet, or in simulated time.
