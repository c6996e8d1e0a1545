//! What no single crate can prove: the arrows of the house, journeys through all of it, peers, faults.
