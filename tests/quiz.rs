//! Questions to the reader: what is asked, what is right, and what is refused.

use crate::support::Folder;

const EXPERIMENT: &str = "
question: How busy does a worker get?
prediction: Half.
model:
  clients: { users: { arrivals: { poisson: 50/s }, call: web.page } }
  services: { web: { runtime: { workers: 1 }, operations: { page: [ wait: { exponential: 10ms } ] } } }
run: { warm_up: 2s, window: 100s, replications: 3 }
variants: { one: {}, two: { services.web.runtime.workers: 2 }, four: { services.web.runtime.workers: 4 } }
sweep: { clients.users.arrivals.poisson: [20/s, 50/s] }
questions:
  - { ask: How busy is the worker?, metric: web.workers.utilization, in: one, at: { clients.users.arrivals.poisson: 50/s }, within: 5%,
      because: 50/s x 10 ms }
  - { ask: Where is the response time longest?, which: highest, metric: users.latency.mean, at: { clients.users.arrivals.poisson: 50/s } }
  - { ask: What does a second worker halve?, choices: [the service time, the utilization], answer: the utilization }
analysis: A worker that is busy half of the time makes waiting as long as service.
";

fn folder() -> Folder {
    let folder = Folder::new("quiz");
    folder.write("e.yaml", EXPERIMENT);
    folder
}

#[test]
fn answers_are_graded_with_the_numbers_of_the_run() {
    let folder = folder();
    let all = folder.scalelab(&["quiz", "e.yaml", "--answers", "50%", "one", "2"]).with(0).out;
    assert!(all.contains("3 of 3 right"), "{all}");
    assert!(all.contains("web.workers.utilization of one: 50") && all.contains("50/s x 10 ms"), "{all}");
    assert!(all.contains("users.latency.mean of two: ") && all.contains("A worker that is busy half"), "{all}");
    assert!(!all.contains("Half."), "the prediction would give the answer away: {all}");
    let none = folder.scalelab(&["quiz", "e.yaml", "--quick", "--answers", "80%", "FOUR", "1"]).with(99).out;
    assert!(
        none.contains("0 of 3 right") && none.contains("wrong: 80 %; it is ") && none.contains("it is one"),
        "{none}"
    );
}

#[test]
fn questions_are_asked_before_anything_is_shown() {
    let folder = folder();
    let asked = folder.scalelab_with(&["quiz", "e.yaml", "--quick"], &[], b"many\n50%\n1\n").with(99).out;
    let place = |words: &str| asked.find(words).unwrap_or_else(|| panic!("{words} is not in {asked}"));
    assert!(place("1) one") < place("1. How busy is the worker?\n   \u{2713}").max(place("right")));
    assert!(asked.contains("2 of 3 right") && asked.contains("wrong: no answer; it is the utilization"), "{asked}");
}

#[test]
fn what_cannot_be_asked_or_answered_is_refused_with_its_place() {
    let folder = folder();
    let few = folder.scalelab(&["quiz", "e.yaml", "--answers", "50%"]).with(2).err;
    assert!(few.contains("1 answers for 3 questions"), "{few}");
    let odd = folder.scalelab(&["quiz", "e.yaml", "--answers", "50%", "five", "2"]).with(2).err;
    assert!(odd.contains("answer 2: `five` is none of the choices; answer with 1 to 3"), "{odd}");
    for (wrong, words) in [
        ("{ ask: a, metric: users.latency.meen, in: one }", "did you mean `users.latency.mean`?"),
        ("{ ask: a }", "neither `choices` nor a `metric`"),
        ("{ ask: a, choices: [x, y], answer: z }", "needs one of them as its `answer`"),
        ("{ ask: a, metric: users.goodput, at: { clients.users.arrivals.poisson: 50/s } }", "in which variant"),
        ("{ ask: a, metric: users.goodput, in: one }", "at which level of"),
    ] {
        let text = EXPERIMENT.split("questions:").next().unwrap_or_default();
        folder.write("w.yaml", format!("{text}questions: [ {wrong} ]\n"));
        let err = folder.scalelab(&["check", "w.yaml"]).with(2).err;
        assert!(err.contains(words), "{wrong}: {err}");
    }
    folder.write("none.yaml", EXPERIMENT.split("questions:").next().unwrap_or_default());
    assert!(folder.scalelab(&["quiz", "none.yaml"]).with(2).err.contains("has no `questions`"));
}
