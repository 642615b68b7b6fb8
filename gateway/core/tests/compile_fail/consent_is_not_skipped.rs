use gateway_core::consent::Consents;
use gateway_core::journal::Trail;
use gateway_core::mapping::Occasion;
use gateway_core::quota::Quota;
use gateway_core::stage::{self, Admitted, Authorized};
use gateway_core::{Fault, Pseudonymize};

async fn skip_consent(
    authorized: Authorized,
    quota: &dyn Quota,
    consents: &dyn Consents,
    keys: &dyn Pseudonymize,
    occasion: Occasion,
) -> Result<Admitted, Fault> {
    let mut trail = Trail::default();
    stage::admit(authorized, quota, consents, keys, occasion, 0, &mut trail).await
}

fn main() {}
