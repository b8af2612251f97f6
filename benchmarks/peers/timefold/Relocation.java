import ai.timefold.solver.core.api.score.director.ScoreDirector;
import ai.timefold.solver.core.impl.heuristic.move.AbstractMove;

/** Some tasks and where each goes. */
public class Relocation extends AbstractMove<Roster> {
    private static final String VARIABLE = "place";

    private final Duty[] duties;
    private final Place[] places;

    Relocation(Duty[] duties, Place[] places) {
        this.duties = duties;
        this.places = places;
    }

    @Override
    public boolean isMoveDoable(ScoreDirector<Roster> director) {
        return duties[0].getPlace() != places[0];
    }

    @Override
    protected void doMoveOnGenuineVariables(ScoreDirector<Roster> director) {
        for (int i = 0; i < duties.length; i++) {
            director.beforeVariableChanged(duties[i], VARIABLE);
            duties[i].setPlace(places[i]);
            director.afterVariableChanged(duties[i], VARIABLE);
        }
    }
}
