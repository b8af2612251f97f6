import ai.timefold.solver.core.api.solver.SolverConfigOverride;
import ai.timefold.solver.core.api.solver.SolverFactory;
import ai.timefold.solver.core.config.localsearch.LocalSearchPhaseConfig;
import ai.timefold.solver.core.config.localsearch.decider.acceptor.LocalSearchAcceptorConfig;
import ai.timefold.solver.core.config.localsearch.decider.forager.LocalSearchForagerConfig;
import ai.timefold.solver.core.config.heuristic.selector.move.factory.MoveIteratorFactoryConfig;
import ai.timefold.solver.core.config.score.director.ScoreDirectorFactoryConfig;
import ai.timefold.solver.core.config.solver.EnvironmentMode;
import ai.timefold.solver.core.config.solver.SolverConfig;
import ai.timefold.solver.core.config.solver.termination.TerminationConfig;
import ai.timefold.solver.core.impl.solver.DefaultSolver;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/** {@code Main INSTANCE streams|expert SECONDS SEED TEMPERATURE}: solves from the start plan and tells what it finds. */
public final class Main {
    public static void main(String[] arguments) throws Exception {
        Found found = new Found(ManagementFactory.getRuntimeMXBean().getStartTime());
        Roster start = new Roster(Instance.read(Path.of(arguments[0])));
        SolverConfig config = arguments[1].equals("expert") ? expert(arguments[4]) : outOfTheBox();
        SolverFactory<Roster> factory = SolverFactory.create(config.withRandomSeed(Long.parseLong(arguments[3])));
        long limitMs = Math.round(1000 * Double.parseDouble(arguments[2])) - found.elapsedMs();
        var limit = new TerminationConfig().withMillisecondsSpentLimit(Math.max(limitMs, 1));
        var solver = (DefaultSolver<Roster>) factory.buildSolver(new SolverConfigOverride<Roster>().withTerminationConfig(limit));
        solver.addEventListener(event -> found.better(event.getNewBestSolution()));
        found.better(solver.solve(start));
        found.close(solver.getMoveEvaluationSpeed(), SolverFactory.class.getPackage().getImplementationVersion());
    }

    private static SolverConfig rosters() {
        return new SolverConfig().withSolutionClass(Roster.class).withEntityClasses(Duty.class);
    }

    /** Constraint streams, and local search as it comes: stock moves, late acceptance. */
    private static SolverConfig outOfTheBox() {
        return rosters().withConstraintProviderClass(Streams.class).withPhases(new LocalSearchPhaseConfig());
    }

    /** Incremental calculator, own moves, simulated annealing. */
    private static SolverConfig expert(String temperature) {
        return rosters()
            .withEnvironmentMode(EnvironmentMode.NO_ASSERT)
            .withScoreDirectorFactory(new ScoreDirectorFactoryConfig().withIncrementalScoreCalculatorClass(Ledger.class))
            .withPhases(
                new LocalSearchPhaseConfig()
                    .withMoveSelectorConfig(new MoveIteratorFactoryConfig().withMoveIteratorFactoryClass(Moves.class))
                    .withAcceptorConfig(
                        new LocalSearchAcceptorConfig().withSimulatedAnnealingStartingTemperature("0hard/" + temperature + "soft"))
                    .withForagerConfig(new LocalSearchForagerConfig().withAcceptedCountLimit(1)));
    }

    private Main() {
    }
}
