use gateway_core::journal::Trail;
use gateway_core::quota::Quota;
use gateway_core::stage::{self, Admitted, Authorized};
use gateway_core::{Clock, Fault, Pseudonymize};

fn skip_consent(
    authorized: Authorized,
    quota: &dyn Quota,
    keys: &dyn Pseudonymize,
    clock: &dyn Clock,
) -> Result<Admitted, Fault> {
    stage::admit(authorized, quota, keys, clock.now(), 0, &mut Trail::default())
}

fn main() {}
