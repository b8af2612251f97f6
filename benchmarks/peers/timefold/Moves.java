import ai.timefold.solver.core.api.score.director.ScoreDirector;
import ai.timefold.solver.core.impl.heuristic.selector.move.factory.MoveIteratorFactory;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;

/**
 * Moves drawn without end: one task elsewhere, two tasks swapped, three tasks in a chain. Stock selectors count all value ranges
 * again at every step, which takes most of the time.
 */
public class Moves implements MoveIteratorFactory<Roster, Relocation> {
    private static final double SWAPS = 0.45;
    private static final double CHAINS = 0.15;
    private static final double FIRST_WINDOW = 0.8;
    private static final int TRIES = 100;

    @Override
    public long getSize(ScoreDirector<Roster> director) {
        return director.getWorkingSolution().getDuties().size();
    }

    @Override
    public Iterator<Relocation> createOriginalMoveIterator(ScoreDirector<Roster> director) {
        throw new UnsupportedOperationException("only random moves");
    }

    @Override
    public Iterator<Relocation> createRandomMoveIterator(ScoreDirector<Roster> director, Random random) {
        List<Duty> movable = new ArrayList<>();
        for (Duty duty : director.getWorkingSolution().getDuties()) {
            int ways = duty.getPlaces().size() + (duty.mayEscalate() ? 1 : 0);
            if (ways > 1) {
                movable.add(duty);
            }
        }
        return new Drawn(movable, random);
    }

    private static final class Drawn implements Iterator<Relocation> {
        private final Duty[] movable;
        private final Random random;

        Drawn(List<Duty> movable, Random random) {
            this.movable = movable.toArray(Duty[]::new);
            this.random = random;
        }

        @Override
        public boolean hasNext() {
            return movable.length > 0;
        }

        @Override
        public Relocation next() {
            double kind = random.nextDouble();
            for (int i = 0; i < TRIES; i++) {
                Relocation found = kind < CHAINS ? chain() : kind < CHAINS + SWAPS ? swap() : change(any());
                if (found != null) {
                    return found;
                }
            }
            return change(any());
        }

        private Duty any() {
            return movable[random.nextInt(movable.length)];
        }

        private Relocation change(Duty duty) {
            return new Relocation(new Duty[] {duty}, new Place[] {somewhere(duty)});
        }

        private Place somewhere(Duty duty) {
            List<Place> places = duty.getPlaces();
            int drawn = random.nextInt(places.size() + (duty.mayEscalate() ? 1 : 0));
            return drawn < places.size() ? places.get(drawn) : null;
        }

        private Relocation swap() {
            Duty one = any();
            Duty other = any();
            if (one.getPlace() == null || other.getPlace() == null || one.getPlace().person() == other.getPlace().person()) {
                return null;
            }
            Place there = with(one, other.getPlace().person());
            Place here = with(other, one.getPlace().person());
            return there == null || here == null ? null : new Relocation(new Duty[] {one, other}, new Place[] {there, here});
        }

        /** The first takes the second's person, the second the third's, the third goes anywhere. */
        private Relocation chain() {
            Duty one = any();
            Duty two = any();
            Duty three = any();
            if (one == two || one == three || two == three || two.getPlace() == null || three.getPlace() == null) {
                return null;
            }
            Place first = with(one, two.getPlace().person());
            Place second = first == null ? null : with(two, three.getPlace().person());
            if (second == null) {
                return null;
            }
            return new Relocation(new Duty[] {one, two, three}, new Place[] {first, second, somewhere(three)});
        }

        /** A place of the task with the person, mostly in its cheapest window; null where there is none. */
        private Place with(Duty duty, Person person) {
            int window = random.nextDouble() < FIRST_WINDOW ? 0 : random.nextInt(person.instance().windowCount(duty.getId()));
            return person.instance().possible(duty.getId(), person.id(), window) ? person.place(window) : null;
        }
    }
}
