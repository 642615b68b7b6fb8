//! tmp
#![allow(clippy::all, clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use std::io::Read; use std::sync::Arc;
struct P; impl gateway_core::Pseudonymize for P { fn pseudonym(&self,_:&str,_:&str,_:&[u8])->gateway_core::Pseudonym{gateway_core::Pseudonym([1;32])}}
fn main(){
 let c=mappings::Catalog::load(std::path::Path::new("mappings/catalog"),Arc::new(P)).map_err(|e| e.iter().map(|p|p.to_string()).collect::<Vec<_>>()).unwrap();
 let Some(mappings::FrontEntry::Soap(f))=c.front("welfare/mohw/v1") else {panic!()};
 if std::env::args().nth(1).as_deref()==Some("wsdl") { print!("{}",f.wsdl("http://127.0.0.1:1/soap/welfare?a=1&b=2")); return }
 let mut b=vec![]; std::io::stdin().read_to_end(&mut b).unwrap();
 let fr=c.front("welfare/mohw/v1").unwrap().as_front();
 let i=gateway_core::Inbound{id:gateway_core::ExchangeId(uuid::Uuid::nil()),front:fr.clone(),evidence:Default::default(),attributes:Default::default(),body:b.into(),received:Default::default()};
 println!("{:?}", fr.decode(&i));
}
