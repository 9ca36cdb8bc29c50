//! Whatever ends the demo, its services end too.

use rustix::process::Signal;

use crate::program::Open;

#[test]
fn ctrl_c_ends_all_and_says_what_the_services_reported() {
    let shop = Open::start(&[]);
    let services = shop.services.clone();
    assert!(!services.is_empty());
    shop.signal(Signal::INT);
    let (status, errors) = shop.end();
    assert!(status.success(), "{errors}");
    let processes = format!("{} processes report", services.len());
    assert!(errors.contains(&processes) && errors.contains(" 0 dropped"), "{errors}");
    services.iter().for_each(crate::program::Service::assert_gone);
}

#[test]
fn a_demo_that_is_killed_leaves_no_service_behind() {
    let shop = Open::start(&[]);
    let services = shop.services.clone();
    shop.signal(Signal::KILL);
    services.iter().for_each(crate::program::Service::assert_gone);
}

#[test]
fn a_service_that_dies_is_named_and_all_others_are_ended() {
    let shop = Open::start(&[]);
    let services = shop.services.clone();
    shop.service("users-1").kill();
    let (status, errors) = shop.end();
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("users-1 has died (signal: 9 (SIGKILL))"), "{errors}");
    services.iter().for_each(crate::program::Service::assert_gone);
}
