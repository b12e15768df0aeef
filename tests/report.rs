//! The page and the diagram from end to end; in a browser too, where there is one.

use std::process::Command;

use crate::support::Folder;

const EXPERIMENT: &str = "
question: Do more workers help a shop that waits for its store?
prediction: They do.
model:
  clients:
    users: { arrivals: { poisson: 100/s }, mix: { shop.browse: 90%, shop.buy: 10% }, timeout: 1s }
  services:
    shop:
      instances: 2
      machine: { cores: 2 }
      runtime: { workers: 4 }
      operations:
        browse: [ cpu: { exponential: 4ms }, call: store.read ]
        buy: [ cpu: 4ms, parallel: [ { call: store.read }, { call: store.write } ] ]
    store: { runtime: { workers: 20 }, operations: { read: [ wait: 10ms ], write: [ wait: 30ms ] } }
run: { warm_up: 1s, window: 5s, replications: 3 }
variants: { as is: {}, more workers: { services.shop.runtime.workers: 16 } }
sweep: { clients.users.arrivals.poisson: [50/s, 200/s, 400/s] }
expect: [ { metric: users.latency.p95, below: 1s, in: more workers, because: the store is never busy } ]
";

fn folder() -> Folder {
    let folder = Folder::new("report");
    folder.write("shop.yaml", EXPERIMENT);
    folder
}

#[test]
fn the_files_of_a_folder_are_made_again_from_its_summary_alone() {
    let folder = folder();
    folder.scalelab(&["run", "shop.yaml", "--quiet"]).with(0);
    let before = folder.files("output/shop");
    assert!(before.contains_key("report.html"));
    for name in before.keys().filter(|name| *name != "summary.json") {
        std::fs::remove_file(folder.path().join("output/shop").join(name)).expect("it was there");
    }
    let again = folder.scalelab(&["report", "output/shop"]).with(0);
    assert!(again.out.contains("report.html"), "{}", again.out);
    assert_eq!(folder.files("output/shop"), before);
    let lost = folder.scalelab(&["report", "output"]).with(2);
    assert!(lost.err.contains("give a folder that `scalelab run` has written"), "{}", lost.err);
}

#[test]
fn a_diagram_is_svg_or_mermaid() {
    let folder = folder();
    let svg = folder.scalelab(&["diagram", "shop.yaml"]).with(0).out;
    assert!(svg.starts_with("<svg ") && svg.contains("round robin over 2 instances"), "{svg}");
    let text = folder.scalelab(&["diagram", "shop.yaml", "--format", "mermaid"]).with(0).out;
    assert!(text.contains("p1 -->|\"read, write\"| p2"), "{text}");
    let more = folder.scalelab(&["diagram", "shop.yaml", "--variant", "more workers", "--out", "more.svg"]).with(0);
    assert!(more.out.is_empty() && folder.read("more.svg").contains("16 workers"));
    let none = folder.scalelab(&["diagram", "shop.yaml", "--variant", "less"]).with(2);
    assert!(none.err.contains("as is, more workers"), "{}", none.err);
}

/// A browser that can be run without a screen, if there is one.
fn browser() -> Option<&'static str> {
    let runs = |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    ["chromium", "chromium-browser", "google-chrome"].iter().find(runs).copied()
}

/// What a page's document has become in a window of this width, and what the browser complained about.
fn opened(browser: &str, folder: &Folder, page: &str, width: u32) -> (String, String) {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=3000"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--window-size={width},900"))
        .arg("--dump-dom")
        .arg(format!("file://{}", folder.path().join(page).display()))
        .output()
        .expect("the browser runs");
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints = complaints.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    (String::from_utf8_lossy(&output.stdout).into_owned(), complaints)
}

/// Moves through a chart by keyboard, chooses another point, and writes down what is to be seen then.
const VISIT: &str = "<script>
addEventListener('load', () => {
  const seen = {};
  const chart = [...document.querySelectorAll('.chart')].find(chart => chart.getClientRects().length);
  chart.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
  seen.tip = document.getElementById('tip').textContent.split('\\n').length;
  const choice = document.getElementById('point');
  choice.selectedIndex = 0;
  choice.dispatchEvent(new Event('change'));
  seen.words = document.querySelector('[data-client]').textContent;
  seen.wide = document.documentElement.scrollWidth - innerWidth;
  seen.titles = document.querySelectorAll('.strips title').length;
  document.title = JSON.stringify(seen);
});
</script>";

#[test]
fn a_browser_shows_values_by_keyboard_another_point_and_no_sideways_scrolling() {
    let Some(browser) = browser() else {
        eprintln!("no browser was found; nothing was looked at");
        return;
    };
    let folder = folder();
    folder.scalelab(&["run", "shop.yaml", "--quiet"]).with(0);
    let page = folder.read("output/shop/report.html").replace("</body>", &format!("{VISIT}</body>"));
    folder.write("visit.html", page);
    for width in [500, 800, 1400] {
        let (document, complaints) = opened(browser, &folder, "visit.html", width);
        assert!(complaints.is_empty(), "{complaints}");
        let title = document.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        let seen: serde_json::Value = serde_json::from_str(title).unwrap_or_else(|_| panic!("{title}"));
        assert!(seen["tip"].as_u64() >= Some(3), "{seen}");
        assert!(seen["words"].as_str().is_some_and(|words| words.starts_with("5") || words.starts_with("4")), "{seen}");
        assert!(seen["wide"].as_i64() <= Some(0), "at a width of {width}: {seen}");
        assert_eq!(seen["titles"].as_u64(), Some(0), "{seen}");
    }
}
