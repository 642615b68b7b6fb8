//! tmp
#![allow(clippy::all, clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use std::sync::Arc; use std::time::Instant;
struct P; impl gateway_core::Pseudonymize for P { fn pseudonym(&self,_:&str,_:&str,_:&[u8])->gateway_core::Pseudonym{gateway_core::Pseudonym([1;32])}}
fn main(){
 let c=mappings::Catalog::load(std::path::Path::new("mappings/catalog"),Arc::new(P)).map_err(|e| e.iter().map(|p|p.to_string()).collect::<Vec<_>>()).unwrap();
 for (id,case,n) in [(std::env::args().nth(1).unwrap_or("welfare/mohw/v1".into()).as_str(),"grant",100000)] {
  let mut b=std::fs::read(format!("mappings/catalog/{id}/cases/{case}.in")).unwrap();
  let mut at=std::collections::BTreeMap::new();
  if id.contains("rest") { let p=b.windows(2).position(|w|w==b"\n\n").unwrap(); b.drain(..p+2); at.insert(":service".into(),"benefitGrant".into()); at.insert("content-type".into(),"application/json".into()); at.insert("idempotency-key".to_string(),"\"k\"".to_string()); }
  let fr=c.front(id).unwrap().as_front();
  println!("{id} {} bytes", b.len());
  let i=gateway_core::Inbound{id:gateway_core::ExchangeId(uuid::Uuid::nil()),front:fr.clone(),evidence:Default::default(),attributes:at,body:b.into(),received:Default::default()};
  for _ in 0..3 { let t=Instant::now(); for _ in 0..n { std::hint::black_box(fr.decode(std::hint::black_box(&i))).unwrap(); } println!("  decode {:?}", t.elapsed()/n); }
  let e=Arc::new(fr.decode(&i).unwrap());
  let x=gateway_core::front::Exchange{id:i.id,inbound:&i,envelope:Some(&e),quota:None,now:Default::default()};
  let mut m=gateway_core::Message::new(); m.set("benefit",gateway_core::Value::Bytes(vec![7;32]));
  for _ in 0..2 { let t=Instant::now(); for _ in 0..n { std::hint::black_box(fr.encode(std::hint::black_box(&x),&m)).unwrap(); } println!("  encode {:?}", t.elapsed()/n); }
 }
}
