//! Connections that go over to another protocol (WebSocket): passed through both ways until one side ends.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use modeltrail::capture::Ending;
use serde_json::json;

use super::recording::Guard;

/// Passes bytes both ways, and records how many.
pub(super) fn tunnel(client: OnUpgrade, upstream: OnUpgrade, guard: Option<Guard>) {
    tokio::spawn(async move {
        let ending = match (client.await, upstream.await) {
            (Ok(client), Ok(upstream)) => {
                let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
                match tokio::io::copy_bidirectional(&mut client, &mut upstream).await {
                    Ok((sent, received)) => {
                        note(guard.as_ref(), sent, received);
                        Ending::Complete
                    }
                    Err(error) => Ending::UpstreamReset(error.to_string()),
                }
            }
            (Err(error), _) | (_, Err(error)) => Ending::UpstreamReset(error.to_string()),
        };
        if let Some(guard) = guard {
            guard.recording().end(ending);
        }
    });
}

fn note(guard: Option<&Guard>, sent: u64, received: u64) {
    let bytes = json!({"from_client_bytes": sent, "from_upstream_bytes": received});
    if let Some(guard) = guard {
        guard.recording().feed(|exchange| exchange.metadata("upgraded", bytes));
    }
}
