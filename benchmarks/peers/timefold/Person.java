import java.util.ArrayList;
import java.util.List;

/** Somebody who works, by place in the neutral file, with one shared object for each window they may be given work in. */
public final class Person {
    private final Instance instance;
    private final int id;
    private final List<Place> places = new ArrayList<>();

    Person(Instance instance, int id) {
        this.instance = instance;
        this.id = id;
    }

    Instance instance() {
        return instance;
    }

    int id() {
        return id;
    }

    Place place(int window) {
        while (places.size() <= window) {
            places.add(new Place(this, places.size()));
        }
        return places.get(window);
    }
}
